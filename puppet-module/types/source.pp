# @summary The source of a package: a file on the node, a file on the Puppet server, or a URL.
type Trigger::Source = Variant[Trigger::Path, Trigger::Served, Trigger::Url]
