# @summary Where a package comes from: a file on the node, or a URL.
type Trigger::Source = Variant[Trigger::Path, Trigger::Url]
