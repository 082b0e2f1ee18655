const ASK_AGAIN_MS = 3_000

/**
 * Loads a part of the app, however late: while the network is away it is asked for again until it comes.
 * @throws what hindered it, when the server answers: then that has another version of the app
 */
export async function patiently<T>(load: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await load()
    } catch (error) {
      if (await isServerThere()) throw error
      await new Promise((again) => setTimeout(again, ASK_AGAIN_MS))
    }
  }
}

function isServerThere(): Promise<boolean> {
  return fetch('/auth/ways').then(
    () => true,
    () => false,
  )
}
