# @summary The name of a plugin: its path below the plugins directory.
type Trigger::Plugin = Pattern[/\A(?!\.+(?:\/|\z))[A-Za-z0-9_.-]+(?:\/(?!\.+(?:\/|\z))[A-Za-z0-9_.-]+)*\z/]
