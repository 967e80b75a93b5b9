# @summary An absolute path without control characters.
type Trigger::Path = Pattern[/\A\/[^\/\u0000-\u001f][^\u0000-\u001f]*\z/]
