/**
 * Waits for `work`, `ms` at most.
 * @param work gets a signal that aborts at the deadline. It may go on afterwards: nobody hears its result or its error any more
 * @param onLate gives the result at the deadline, or throws
 */
export async function within<T, L>(ms: number, work: (late: AbortSignal) => Promise<T>, onLate: () => L): Promise<T | L> {
  const late = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const deadline = new Promise<L>((resolve, reject) => {
    timer = setTimeout(() => {
      late.abort()
      try {
        resolve(onLate())
      } catch (error) {
        reject(error)
      }
    }, ms)
  })
  try {
    return await Promise.race([work(late.signal), deadline])
  } finally {
    clearTimeout(timer)
  }
}
