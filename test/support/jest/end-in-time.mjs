const PATIENCE_MS = 60_000

/** After the last test. A handle that something left open is told, and does not hold up whoever waits for the outcome. */
export default () => {
  const tell = () => {
    console.error(
      `Jest was still running ${PATIENCE_MS / 1000} s after the last test: something was left open (--detectOpenHandles finds it).`,
    )
    process.exit()
  }
  setTimeout(tell, PATIENCE_MS).unref()
}
