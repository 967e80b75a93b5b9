# @summary Where a package comes from: a file on the node, the Puppet server, or a URL.
type Trigger::Source = Variant[Trigger::Path, Trigger::Served, Trigger::Url]
