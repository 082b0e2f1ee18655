import type { Page, WebSocketRoute } from 'playwright-core'

/** A page whose way to the server a test can cut and mend. The app's own files come through, as out of a service worker's cache. */
export async function cutLine(page: Page) {
  let isCut = false
  await page.route(/\/(api|auth|socket\.io)\/|\/healthz$/, (route) => (isCut ? route.abort() : route.fallback()))
  await page.addInitScript(WITH_A_SWITCH)
  return {
    cut: async () => {
      isCut = true
      await page.evaluate('cutSockets()')
    },
    mend: async () => {
      isCut = false
      await page.evaluate("localStorage.removeItem('cut')")
    },
  }
}

/** Sockets that the server refuses while they are cut: the routes of a page do not see them. */
const WITH_A_SWITCH = `
  const open = new Set()
  window.WebSocket = class extends WebSocket {
    constructor(url, ...rest) {
      super(localStorage.getItem('cut') ? String(url).replace('/socket.io/', '/nowhere/') : url, ...rest)
      open.add(this)
    }
  }
  window.cutSockets = () => {
    localStorage.setItem('cut', 'yes')
    for (const socket of open) socket.close()
  }`

/**
 * Closes each connection of the page's next load so long after Socket.IO has its own through it, again and again.
 * @returns `stop`, which tells how many were cut, how many the page or the server ended before, and how many are open now
 */
export async function cutAgainAndAgain(page: Page, liveMs: number) {
  const live = new Map<WebSocketRoute, NodeJS.Timeout>()
  const began = performance.now()
  let [cut, ended] = [0, 0]
  await page.routeWebSocket(/socket\.io/, (line) => {
    const server = line.connectToServer()
    const close = () => {
      if (live.delete(line)) cut += 1
      void line.close()
      void server.close()
    }
    server.onMessage((message) => {
      line.send(message)
      if (!String(message).startsWith('40')) return
      live.set(line, setTimeout(close, liveMs))
    })
    line.onClose(() => {
      clearTimeout(live.get(line))
      if (live.delete(line)) ended += 1
      void server.close()
    })
  })
  return {
    stop: () => {
      const open = live.size
      for (const timer of live.values()) clearTimeout(timer)
      live.clear()
      return { cut, ended, open, tookMs: performance.now() - began }
    },
  }
}
