import { cutText } from '../../../contract/shared/characters.ts'

/** @returns the first line of a prompt, shortened to fit a title */
export function firstLine(prompt: string): string {
  const line = prompt.trim().split('\n', 1)[0] ?? ''
  return cutText(line, 160)
}

/** @returns `owner/name`; the address itself if it is no URL */
export function repoName(repoUrl: string): string {
  if (!URL.canParse(repoUrl)) return repoUrl
  return new URL(repoUrl).pathname.replace(/^\/(demo\/git\/)?/, '').replace(/\.git$/, '')
}

/** @returns `just now`, `5 min`, `3 h`, `2 d`, or a date after a week */
export function age(iso: string, now: number = Date.now()): string {
  const minutes = Math.floor((now - Date.parse(iso)) / 60_000)
  if (minutes < 1) return 'just now'
  if (minutes < 60) return `${minutes} min`
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)} h`
  if (minutes < 7 * 24 * 60) return `${Math.floor(minutes / (24 * 60))} d`
  return new Date(iso).toLocaleDateString(undefined, { dateStyle: 'medium' })
}

/** @returns {@link age} within a sentence: `just now`, `5 min ago`, or a date */
export function ago(iso: string, now: number = Date.now()): string {
  const text = age(iso, now)
  return / (min|h|d)$/.test(text) ? `${text} ago` : text
}

/** @returns the time of day; for another day, with its date */
export function timeOf(iso: string): string {
  const date = new Date(iso)
  const time = date.toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit' })
  const isToday = date.toDateString() === new Date().toDateString()
  return isToday ? time : `${date.toLocaleDateString(undefined, { day: 'numeric', month: 'short' })}, ${time}`
}

/** US dollars. */
export function dollars(usd: number): string {
  return `$${usd.toFixed(Number.isInteger(usd) ? 0 : 2)}`
}
