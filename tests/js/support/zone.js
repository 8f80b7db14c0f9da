/** Time zones in which a test can count hours and days, whenever it runs. */

/** Whole hours ahead of UTC, and half ones; none has a daylight-saving time. */
const ZONES = { whole: ['Etc/GMT-6', 'Etc/GMT+6'], half: ['Asia/Kolkata', 'Pacific/Marquesas'] };

/**
 * A zone in which no hour turns within a quarter of an hour of `now`, where today began more than four hours ago and has
 * more than four to go.
 */
export function calmZone(now = Date.now()) {
  const date = new Date(now);
  const minute = date.getUTCMinutes();
  const [east, west] = minute >= 15 && minute < 45 ? ZONES.whole : ZONES.half;
  return date.getUTCHours() < 14 ? east : west;
}

/** A zone in which midnight was within the last hour: what is two hours old is of yesterday there. */
export function midnightZone(now = Date.now()) {
  const hour = new Date(now).getUTCHours();
  // Signs of these names are the other way round.
  return hour <= 12 ? `Etc/GMT+${hour}` : `Etc/GMT-${24 - hour}`;
}

/** The hour there, as `07`. */
export function hourIn(zone, at) {
  return new Intl.DateTimeFormat('en-US', { hour: '2-digit', hourCycle: 'h23', timeZone: zone }).format(at);
}
