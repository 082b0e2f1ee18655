import type { Overview } from '../../../contract/api/overview.ts'
import { Section } from '../design/screen/section.tsx'
import { ago } from '../text/show.ts'
import { words } from '../text/words.ts'

type Runner = Overview['runners'][number]

export function Runners({ runners }: { runners: readonly Runner[] }) {
  return (
    <Section id="runners" title={words.admin.runners}>
      {runners.length === 0 && <p className="soft">{words.admin.noRunners}</p>}
      <ul className="card-lines" hidden={runners.length === 0}>
        {runners.map((runner) => (
          <li key={runner.id}>
            <span>
              <span dir="auto">{runner.name}</span>
              <span className="soft small block">{words.admin.slots(runner.busy, runner.slots)}</span>
              {runner.connected && runner.unwell && <WhyUnwell {...runner.unwell} />}
            </span>
            <span className={`small ${runner.connected && !runner.unwell ? 'added' : 'removed'}`}>{stateOf(runner)}</span>
          </li>
        ))}
      </ul>
    </Section>
  )
}

function stateOf({ connected, unwell, seenAt }: Runner): string {
  if (!connected) return `${words.admin.gone} · ${words.admin.seen(ago(seenAt))}`
  return unwell ? words.admin.unwell : words.admin.connected
}

/** What is wrong with a runner's host, and the symptom. */
function WhyUnwell({ reasonText, message }: NonNullable<Runner['unwell']>) {
  return (
    <span className="small block">
      {reasonText}
      {message && (
        <span className="soft block" dir="auto">
          {message}
        </span>
      )}
    </span>
  )
}
