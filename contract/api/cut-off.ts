/**
 * The sentences by which a call is ended that did not come to its own end: by the agent's shell, the agent's loop, the runner and the
 * coordinator, in this order. The shell puts its exit code, time and folder in front.
 */
const CUT_OFF = [
  /^(?:(?:exit_code|wall_time|cwd is now): .*\n)*ended: the task was stopped(?:\n|$)/,
  /^The task was stopped before this call came to an end\.$/,
  /^The call was not run: the task was stopped\.$/,
  /^Cut off: /,
]

/** @returns whether a call was ended from outside, by a person's Stop, the time limit or a lost runner, and so did not fail by itself */
export function wasCutOff({ ok, output }: { ok: boolean; output: string }): boolean {
  return !ok && CUT_OFF.some((sentence) => sentence.test(output))
}
