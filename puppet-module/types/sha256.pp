# @summary A SHA-256 checksum in hexadecimal digits.
type Trigger::Sha256 = Pattern[/\A[0-9a-f]{64}\z/]
