# @summary Settings of etcd: its flags without the leading dashes, with their values.
type Trigger::Etcd::Settings = Hash[
  Pattern[/\A[a-z0-9]+(?:-[a-z0-9]+)*\z/],
  Variant[Boolean, Integer, Pattern[/\A[^\u0000-\u001f"\\$`]*\z/]]
]
