/**
 * @param text what the user pasted: a sign-in link, perhaps with the text printed around it
 * @returns the link's path on this server, whatever address it was printed with; null if it is no sign-in link
 */
export function linkPath(text: string): string | null {
  const code = /\/auth\/link\?code=([\w-]{1,200})(?![\w%-])/.exec(text)?.[1]
  return code === undefined ? null : `/auth/link?code=${code}`
}
