import { TASK_WORDS } from '../text/words.ts'

export type Mode = 'steer' | 'queue'

const WORDS = TASK_WORDS.composer
const MODES: readonly Mode[] = ['steer', 'queue']

/** When the running agent reads the message. */
export function ModeChoice({ mode, onChange }: { mode: Mode; onChange: (mode: Mode) => void }) {
  return (
    <fieldset className="modes">
      <legend className="hidden-for-eyes">{WORDS.mode}</legend>
      {MODES.map((one) => (
        <label key={one} className={one === mode ? 'mode chosen' : 'mode'}>
          <input type="radio" name="mode" className="hidden-for-eyes" checked={one === mode} onChange={() => onChange(one)} />
          {WORDS[one]}
        </label>
      ))}
    </fieldset>
  )
}
