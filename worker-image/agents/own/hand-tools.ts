import { SAVE } from '../../../contract/wire/deadlines.ts'
import { type Hands, HandsGone } from '../../hands/hands.ts'
import { unlessAborted } from '../../process/waiting.ts'
import type { Tools } from '../../tools/index.ts'
import { cutOff, refused } from '../../tools/tool.ts'

/** Tools that run as the hands. Their descriptions are the image's, and the list of steps stays with the agent. */
export function toolsOf(hands: Hands, described: Tools): Tools {
  return {
    ...described,
    run: async (name, input, signal, onOutput) => {
      if (name === 'todo') return described.run(name, input, signal)
      try {
        const running = hands.call('tool', { name, input }, { signal, ...(onOutput ? { onOutput } : {}) })
        // Hands that do not answer must not keep the work from being saved.
        return await unlessAborted(running, signal, SAVE.toolMs, TOO_LATE)
      } catch (error) {
        if (error instanceof HandsGone) return refused(`${error.message} ${GONE}`)
        return refused(error instanceof Error ? error.message : String(error))
      }
    },
    stop: () => hands.call('endProcesses', {}),
  }
}

const GONE = 'Files are as they were. Background commands have ended, and the next command starts in the repository.'
const TOO_LATE = cutOff('Cut off: the turn ended before this call did.')
