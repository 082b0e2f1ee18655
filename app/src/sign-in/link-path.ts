/**
 * @param text what a person pasted: a sign-in link, perhaps in the middle of what was printed around it
 * @returns where it leads on this server, whichever address it was printed with; null when it is none
 */
export function linkPath(text: string): string | null {
  const code = /\/auth\/link\?code=([\w-]{1,200})(?![\w%-])/.exec(text)?.[1]
  return code === undefined ? null : `/auth/link?code=${code}`
}
