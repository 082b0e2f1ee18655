import { codeOf } from '../../../client/api/api-error.ts'
import type { Overview } from '../../../contract/api/overview.ts'
import type { TaskStatus } from '../../../contract/api/status.ts'
import { useClient, useMe, useSaved } from '../client/hooks.ts'
import { StatusBadge } from '../design/feedback/badges.tsx'
import { EmptyState, Note } from '../design/feedback/states.tsx'
import { Icon } from '../design/icons/icon.tsx'
import { Screen } from '../design/screen/screen.tsx'
import { Loaded, Section } from '../design/screen/section.tsx'
import { ago, dollars } from '../text/show.ts'
import { words } from '../text/words.ts'
import './admin.css'
import { Backups } from './backups.tsx'
import { Runners } from './runners.tsx'
import { StorageSection } from './storage.tsx'

const LOOK_AGAIN_MS = 5_000

/** The state of the server: runners, tasks and users at a glance. */
export function AdminScreen() {
  const { api } = useClient()
  const { data: me } = useMe()
  const overview = useSaved('overview', () => api.findOverview(), { refetchInterval: LOOK_AGAIN_MS, enabled: me?.admin === true })
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

function Glance({ overview: { redis, runners, tasks, users, backups, version } }: { overview: Overview }) {
  return (
    <>
      <Note mood={redis ? 'good' : 'bad'}>
        <p className="row">
          <Icon name={redis ? 'check' : 'alert'} size={18} />
          {redis ? words.admin.redisUp : words.admin.redisDown}
        </p>
      </Note>
      {backups && <Backups {...backups} />}
      <div className="admin-sections">
        <Runners runners={runners} />
        <Queue tasks={tasks} />
        <StorageSection />
        <Users users={users} />
      </div>
      <p className="small soft">{words.admin.version(version)}</p>
    </>
  )
}

function Queue({ tasks }: Pick<Overview, 'tasks'>) {
  return (
    <Section id="queue" title={words.admin.queue}>
      <ul className="card-lines">
        {(Object.entries(tasks) as Array<[TaskStatus, number]>).map(([status, count]) => (
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
  )
}

function Users({ users }: Pick<Overview, 'users'>) {
  return (
    <Section id="users" title={words.admin.users}>
      <ul className="card-lines">
        {users.map((user) => (
          <li key={user.id}>
            <span>
              <span dir="auto">{user.name}</span>
              <span className="soft small block">
                {user.lastSeenAt ? words.admin.seen(ago(user.lastSeenAt)) : words.common.never}
              </span>
            </span>
            <span className="small soft numbers">
              {words.admin.userTasks(user.tasks)} · {dollars(user.costUsd)}
            </span>
          </li>
        ))}
      </ul>
    </Section>
  )
}
