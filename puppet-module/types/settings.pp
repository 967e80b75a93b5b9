# @summary Sections and keys of the daemon's configuration, in the words of docs/reference/configuration.md.
type Trigger::Settings = Hash[String[1], Hash[String[1], Any]]
