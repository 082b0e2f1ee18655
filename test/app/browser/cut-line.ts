import type { Page } from 'playwright-core'

/** A page whose way to the server a test can cut and mend. The app's own files come through, as out of a service worker's cache. */
export async function cutLine(page: Page) {
  let isCut = false
  await page.route(/\/(api|auth|socket\.io)\//, (route) => (isCut ? route.abort() : route.fallback()))
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
