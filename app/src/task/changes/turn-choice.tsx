import { TASK_WORDS } from '../words.ts'

const WORDS = TASK_WORDS.changes

type Props = { turns: number; turn: number | undefined; onChange: (turn: number | undefined) => void }

/** The whole branch, or what one turn changed. */
export function TurnChoice({ turns, turn, onChange }: Props) {
  return (
    <select
      aria-label={WORDS.which}
      value={turn ?? ''}
      onChange={(event) => onChange(event.target.value === '' ? undefined : Number(event.target.value))}
    >
      <option value="">{WORDS.whole}</option>
      {Array.from({ length: turns }, (_, index) => turns - index).map((one) => (
        <option key={one} value={one}>
          {WORDS.turn(one)}
        </option>
      ))}
    </select>
  )
}
