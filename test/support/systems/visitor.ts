export type Visitor = {
  /** One request, redirects not followed, with the cookies so far. */
  get: (path: string, headers?: Record<string, string>) => Promise<Response>
  /** A form sent from a page of ours, unless the headers say otherwise. */
  post: (path: string, form?: Record<string, string>, headers?: Record<string, string>) => Promise<Response>
  cookie: () => string
  setCookie: (name: string, value: string) => void
}

/** A browser as far as cookies and the headers of the Fetch standard go. */
export function visitor(url: string): Visitor {
  const jar = new Map<string, string>()
  const cookie = () => [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
  const send = async (path: string, init: RequestInit, headers: Record<string, string>) => {
    const response = await fetch(new URL(path, url), {
      ...init,
      redirect: 'manual',
      headers: { accept: 'text/html', ...(jar.size > 0 ? { cookie: cookie() } : {}), ...headers },
    })
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      jar.set(name, value)
    }
    return response
  }
  return {
    get: (path, headers = {}) => send(path, {}, headers),
    post: (path, form = {}, headers = { 'sec-fetch-site': 'same-origin' }) =>
      send(path, { method: 'POST', body: new URLSearchParams(form) }, headers),
    cookie,
    setCookie: (name, value) => {
      jar.set(name, value)
    },
  }
}
