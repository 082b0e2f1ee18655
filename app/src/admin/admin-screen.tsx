import type { Overview } from '../../../contract/api/overview.ts'
import type { TaskStatus } from '../../../contract/api/status.ts'
import { codeOf } from '../client/api-error.ts'
import { useClient, useMe, useSaved } from '../client/hooks.ts'
import { EmptyState, Note } from '../design/feedback/states.tsx'
import { StatusBadge } from '../design/feedback/status-badge.tsx'
import { Icon } from '../design/icons/icon.tsx'
import { Screen } from '../design/screen/screen.tsx'
import { Loaded, Section } from '../design/screen/section.tsx'
import { age, dollars } from '../show.ts'
import { words } from '../words.ts'
import './admin.css'

const LOOK_AGAIN_MS = 5_000

/** How the server does: runners, tasks and users at a glance. */
export function AdminScreen() {
  const { api } = useClient()
  const { data: me } = useMe()
  const overview = useSaved('overview', api.overview, { refetchInterval: LOOK_AGAIN_MS, enabled: me?.admin === true })
  const isForbidden = me?.admin === false || codeOf(overview.error) === 'forbidden'
  return (
    <Screen title={words.admin.title}>
      {isForbidden ? (
        <EmptyState title={words.admin.noRights} text={words.admin.noRightsText} />
      ) : (
        <Loaded asked={overview}>{(data) => <Glance overview={data} />}</Loaded>
      )}
    </Screen>
  )
}

type Runner = Overview['runners'][number]

function stateOf({ connected, unwell, seenAt }: Runner): string {
  if (!connected) return `${words.admin.gone} · ${words.admin.seen(age(seenAt))}`
  return unwell ? words.admin.unwell : words.admin.connected
}

/** What is wrong with a runner's host, and what was seen there. */
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

function Glance({ overview }: { overview: Overview }) {
  return (
    <>
      <Note mood={overview.redis ? 'good' : 'bad'}>
        <p className="row">
          <Icon name={overview.redis ? 'check' : 'alert'} size={18} />
          {overview.redis ? words.admin.redisUp : words.admin.redisDown}
        </p>
      </Note>
      <div className="admin-sections">
        <Section id="runners" title={words.admin.runners}>
          {overview.runners.length === 0 && <p className="soft">{words.admin.noRunners}</p>}
          <ul className="card-lines" hidden={overview.runners.length === 0}>
            {overview.runners.map((runner) => (
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
        <Section id="queue" title={words.admin.queue}>
          <ul className="card-lines">
            {(Object.entries(overview.tasks) as Array<[TaskStatus, number]>).map(([status, count]) => (
              <li key={status}>
                <span>
                  <StatusBadge status={status} />
                </span>
                <span className="numbers">{count}</span>
              </li>
            ))}
          </ul>
          <p>
            <a className="button plain" href="/admin/queues">
              <Icon name="external" size={18} />
              {words.admin.board}
            </a>
          </p>
        </Section>
        <Section id="users" title={words.admin.users}>
          <ul className="card-lines">
            {overview.users.map((user) => (
              <li key={user.id}>
                <span>
                  <span dir="auto">{user.name}</span>
                  <span className="soft small block">
                    {user.lastSeenAt ? words.admin.seen(age(user.lastSeenAt)) : words.common.never}
                  </span>
                </span>
                <span className="small soft numbers">
                  {words.admin.userTasks(user.tasks)} · {dollars(user.costUsd)}
                </span>
              </li>
            ))}
          </ul>
        </Section>
      </div>
      <p className="small soft">{words.admin.version(overview.version)}</p>
    </>
  )
}
