import type { Storage } from '../../../contract/api/overview.ts'
import { useClient, useSaved } from '../client/hooks.ts'
import { Note } from '../design/feedback/states.tsx'
import { Loaded, Section } from '../design/screen/section.tsx'

/** What the server counts changes slowly, and costs it a look at every file. */
const LOOK_AGAIN_MS = 60_000

const WORDS = {
  title: 'Storage',
  low: (floor: string) =>
    `Less than ${floor} is free. New tasks are refused and none starts until you free some space; what has begun still ends.`,
  disk: 'Free on the disk',
  of: (whole: string) => `of ${whole}`,
  database: 'Database',
  reusable: (free: string) => `${free} of it is free for new rows`,
  files: (count: number) => (count === 1 ? '1 file' : `${count} files`),
  kinds: {
    outputs: 'Outputs of tools',
    bundles: 'Work that was not pushed',
    conversations: 'Conversations',
    patches: 'Patches',
  } as Readonly<Record<string, string>>,
  others: 'Other files',
  user: (outputs: string) => `${outputs} of it are outputs`,
  full: 'Full: must delete tasks',
  limits: (each: string) => `Each user may store ${each}; half of it may be outputs.`,
  kept: (outputs: string, bundles: string, tasks: string) =>
    `Kept: outputs ${outputs}, bundles ${bundles}, ended tasks ${tasks}.`,
  days: (days: number) => (days === 0 ? 'for ever' : `for ${days} ${days === 1 ? 'day' : 'days'}`),
}

/** What takes the space on the server, and what may. */
export function StorageSection() {
  const { api } = useClient()
  const asked = useSaved('storage', () => api.findStorage(), { refetchInterval: LOOK_AGAIN_MS })
  return (
    <Section id="storage" title={WORDS.title}>
      <Loaded asked={asked}>{(data) => <Used storage={data} />}</Loaded>
    </Section>
  )
}

function Used({ storage: { disk, database, kinds, users, limits } }: { storage: Storage }) {
  return (
    <>
      {disk.low && (
        <Note mood="bad">
          <p>{WORDS.low(size(disk.floorBytes))}</p>
        </Note>
      )}
      <ul className="card-lines">
        <Line name={WORDS.disk} note={WORDS.of(size(disk.totalBytes))} bytes={disk.freeBytes} />
        <Line name={WORDS.database} note={WORDS.reusable(size(database.freeBytes))} bytes={database.bytes} />
        {kinds.map(({ kind, files, bytes }) => (
          <Line key={kind} name={WORDS.kinds[kind] ?? WORDS.others} note={WORDS.files(files)} bytes={bytes} />
        ))}
      </ul>
      <p className="small soft">{WORDS.limits(size(limits.userBytes))}</p>
      {users.length > 0 && (
        <ul className="card-lines">
          {users.map(({ id, name, bytes, outputBytes, full }) => (
            <Line key={id} name={name} note={full ? WORDS.full : WORDS.user(size(outputBytes))} bytes={bytes} />
          ))}
        </ul>
      )}
      <p className="small soft">
        {WORDS.kept(WORDS.days(limits.outputDays), WORDS.days(limits.bundleDays), WORDS.days(limits.taskDays))}
      </p>
    </>
  )
}

function Line({ name, note, bytes }: { name: string; note: string; bytes: number }) {
  return (
    <li>
      <span>
        <span dir="auto">{name}</span>
        <span className="soft small block">{note}</span>
      </span>
      <span className="small numbers">{size(bytes)}</span>
    </li>
  )
}

function size(bytes: number): string {
  const mb = bytes / (1024 * 1024)
  if (mb >= 10_000) return `${(mb / 1024).toFixed(1)} GB`
  return mb >= 10 || bytes === 0 ? `${Math.round(mb)} MB` : `${Math.ceil(bytes / 1024)} kB`
}
