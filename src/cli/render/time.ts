/** Times for people: how long ago, how long it took. */

/** `12s`, `3m`, `5h`, `2d`: one unit says enough. A clock that is ahead of ours shows as `0s`. */
export const age = (iso: string | null, now: number): string => {
  if (iso === null) return '';
  const seconds = Math.max(0, Math.floor((now - Date.parse(iso)) / 1000));
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)}h`;
  return `${Math.floor(seconds / 86_400)}d`;
};

/** `2026-11-20 13:09:40`, in the reader's time zone. */
export const localTime = (iso: string): string => {
  const at = new Date(iso);
  const two = (value: number) => String(value).padStart(2, '0');
  const date = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${date} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
};

export const localTimeAndAge = (iso: string, now: number): string => `${localTime(iso)} (${age(iso, now)} ago)`;

/** `18.2 s`, `3 m 20 s`, `2 h 5 m`. */
export const took = (ms: number): string => {
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 60) return `${minutes} m ${Math.floor((ms % 60_000) / 1000)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} m`;
};
