import type { EventData } from '../../../../contract/api/event.ts'
import { PATCH } from './adas-tasks.ts'
import { ANSI, HUGE_PATCH, LONG_OUTPUT, LONG_PROMPT, MIXED_PATCH } from './long-texts.ts'
import type { Stage } from './stage.ts'
import { steps } from './steps.ts'
import { beginTakenTask, beginTask, type Told } from './tell.ts'

const MINUTE = 60

/** A task in every state that there is. */
export async function tellGracesTasks(stage: Stage) {
  const start = starts(stage)
  const all = {
    ...(await tellRunning(start)),
    ...(await tellEnded(start)),
    ...(await tellFailed(start)),
    waiting: await start.waiting('Measure the lens', 20),
  }
  for (const told of Object.values(all)) told.date()
  return all
}

type Starts = ReturnType<typeof starts>

/** How far a task has come when its story begins. */
function starts(stage: Stage) {
  const waiting = (prompt: string, agoSeconds: number) => beginTask(stage, { person: 'Grace', prompt, agoSeconds })
  const taken = (prompt: string, agoSeconds: number) => beginTakenTask(stage, { person: 'Grace', prompt, agoSeconds })
  const working = async (prompt: string, agoSeconds: number): Promise<Told> => {
    const told = await taken(prompt, agoSeconds)
    await told.tell(...steps.boot(1), steps.text(8, "I'll look at the code first."), ...steps.read(9, 'src/lamp.ts'))
    return told
  }
  const failed = async (prompt: string, end: Partial<EventData<'attempt.ended'>>): Promise<Told> => {
    const told = await working(prompt, 40 * MINUTE)
    await told.end(95, { outcome: 'failed', message: null, ...end })
    return told
  }
  const withdraw = (told: Told, messageId: string) =>
    stage.api('Grace', `/api/tasks/${told.id}/messages/${messageId}`, undefined, 'DELETE')
  return { waiting, taken, working, failed, withdraw }
}

async function tellRunning({ taken, working, withdraw }: Starts) {
  const booting = await taken('Count the seconds between two flashes', 4)
  await booting.tell(steps.at(1.2, 'sandbox.ready', { node: 'v24.11.0' }))
  const live = await working('Explain how the lamp is driven', 15)
  const blocked = await working('Use the colour names of the marine office', 50)
  await blocked.tell(
    ...steps.bash(12, 'curl -sS https://colours.example.org/names.json', 'curl: (56) CONNECT tunnel failed, response 403\n', {
      exit: 56,
    }),
    steps.blocked(12.5, 'colours.example.org'),
    steps.text(16, 'I cannot reach that host from here. I take the names from the printed table in `docs/`.'),
  )
  const quietOne = await working('Compare the three lamp drivers', 100)
  const quietFive = await working('Simulate a winter of flashes', 7 * MINUTE)
  const interrupted = await working('Rename Lamp to Light everywhere', 80)
  await interrupted.end(40, { outcome: 'interrupted', reason: 'runner_lost' })
  await interrupted.take()
  await interrupted.tell(...steps.boot(46, { resumed: true }), steps.text(54, 'I go on from what was pushed last.'))

  const messages = await working('Add a dimmer', 35)
  await messages.message('Keep the old lamps working, please: half of the buoys have them.', 'steer')
  await messages.message('Then write it into the manual.', 'queue')
  const withdrawn = await messages.message('And paint it green.', 'queue')
  await withdraw(messages, withdrawn.id)
  const long = await working(LONG_PROMPT, 25)
  const waits = await tellModelWaits(working)
  return { booting, live, blocked, quietOne, quietFive, interrupted, messages, long, ...waits }
}

/** The model does not answer: one agent waits for it in its slot, another task has freed its own. */
async function tellModelWaits(working: Starts['working']) {
  const inMinutes = (minutes: number) => new Date(Date.now() + minutes * MINUTE * 1000).toISOString()
  const modelWaiting = await working('Dim the lamp at dawn', 70)
  await modelWaiting.tell(
    ...steps.bash(20, 'npm test', 'ok 14 tests'),
    steps.at(38, 'context.compacted', { beforeTokens: 161_000, afterTokens: 24_000, bySummary: true }),
    steps.at(40, 'note.written', {
      text: 'The model API refused an image in this conversation. A sentence took its place, and the work goes on.',
    }),
    steps.at(41, 'model.waiting', { reason: 'overloaded', attempt: 1, until: inMinutes(0) }),
    steps.at(55, 'model.waiting', { reason: 'overloaded', attempt: 2, until: inMinutes(20) }),
  )
  const parked = await working('Answer the ships that call by radio', 9 * MINUTE)
  await parked.tell(
    ...steps.read(21, 'src/radio.js'),
    steps.at(22, 'model.waiting', { reason: 'rate_limited', attempt: 1, until: inMinutes(0) }),
    steps.at(200, 'model.resumed', { waitedMs: 178_000, answered: false }),
  )
  const end = { reason: 'model_waiting', message: 'This request would exceed your rate limit.', until: inMinutes(40) } as const
  await parked.end(201, { outcome: 'interrupted', ...end })
  return { modelWaiting, parked }
}

async function tellEnded({ taken, working }: Starts) {
  const twoTurns = await tellTwoTurns(await taken('Add a test for the fog signal', 55 * MINUTE))
  const pullRequest = await tellPullRequest(await taken('Document the flash patterns', 90 * MINUTE))
  const outputs = await tellOutputs(await taken('Run the long benchmark', 30 * MINUTE))
  const changes = await tellChanges(await taken('Tidy up the assets', 50 * MINUTE))
  const noChanges = await working('Is there a faster way to draw the beam?', 30 * MINUTE)
  await noChanges.tell(
    steps.done(80, 'No: the beam is drawn once a frame, and that takes 0.2 ms.', { files: 0, insertions: 0, deletions: 0 }),
  )
  await noChanges.end(82, { reason: 'no_changes' })
  return { twoTurns, pullRequest, outputs, changes, noChanges }
}

async function tellFailed({ failed }: Starts) {
  return {
    outOfBudget: await failed('Port the lamp room to Rust', { reason: 'budget_exceeded' }),
    refusedPush: await failed('Fix the typo in the licence', {
      reason: 'push_refused',
      message: 'remote: Permission to lighthouse/beacon.git denied to grace.',
    }),
    noRepository: await failed('Mend the bell', { reason: 'repository_not_found' }),
    wrongKey: await failed('Sort the imports', { reason: 'model_key_refused' }),
    cancelled: await failed('Translate all comments to Latin', { outcome: 'cancelled', reason: 'cancelled_by_user' }),
  }
}

async function tellTwoTurns(told: Told): Promise<Told> {
  await told.tell(
    ...steps.boot(1),
    steps.text(7, 'I add one beside the test of the lamp.'),
    ...steps.write(
      12,
      'test/fog.test.ts',
      "test('is heard in fog', () => {\n  expect(signal(fog)).toBe('long, short, long')\n})\n",
    ),
    ...steps.bash(15, 'npm test', '✔ is heard in fog\nℹ pass 12\n'),
    steps.pushed(20, 'errand/t7m2/add-a-test'),
    steps.done(21, 'There is a test for the fog signal now; all twelve tests are green.', {
      files: 1,
      insertions: 3,
      deletions: 0,
    }),
  )
  await told.keep('turn-patch', PATCH)
  await told.end(22)
  await told.message('Now one for clear weather too.', 'queue')
  await told.take()
  await told.tell(
    ...steps.boot(121, { turn: 2, resumed: true }),
    ...steps.edit(
      130,
      'test/fog.test.ts',
      "test('is heard in fog', () => {\n",
      "test('is silent in clear weather', () => {\n  expect(signal(clear)).toBe('')\n})\n\ntest('is heard in fog', () => {\n",
    ),
    ...steps.bash(134, 'npm test', '✔ is heard in fog\n✔ is silent in clear weather\nℹ pass 13\n'),
    steps.used(137, 9_000, 800, 0.08),
    steps.pushed(138, 'errand/t7m2/add-a-test'),
    steps.done(139, 'Clear weather is tested too: thirteen tests, all green.', { files: 1, insertions: 7, deletions: 0 }, 2),
  )
  await told.keep('patch', PATCH)
  await told.keep('turn-patch', PATCH)
  await told.end(140)
  return told
}

async function tellPullRequest(told: Told): Promise<Told> {
  await told.tell(
    ...steps.boot(1),
    ...steps.write(12, 'docs/flashes.md', '# Flash patterns\n\nOne long, two short: fixed light.\n'),
    steps.pushed(20, 'errand/p4x8/document-the-flash-patterns'),
    steps.at(21, 'pull_request.opened', { url: 'https://github.com/lighthouse/beacon/pull/42', number: 42 }),
    steps.done(22, 'The patterns are written down in `docs/flashes.md`.', { files: 1, insertions: 3, deletions: 0 }),
  )
  await told.keep('patch', PATCH)
  await told.end(23)
  return told
}

async function tellOutputs(told: Told): Promise<Told> {
  await told.tell(
    ...steps.boot(1),
    ...steps.bash(10, 'npm run bench', LONG_OUTPUT.slice(-8_000), { bytes: LONG_OUTPUT.length, seconds: 42 }),
    ...steps.bash(60, 'npm run bench -- --colour', ANSI, { bytes: ANSI.length + 1 }),
    ...steps.bash(70, 'du -sh .', '12M\t.\n'),
    ...steps.bash(80, 'cat cover.png', 'PNG', { bytes: 90_000 }),
    steps.done(90, 'The benchmark runs; nothing had to be changed.', null),
  )
  await told.keep('output.toolu_10', LONG_OUTPUT)
  await told.keep('output.toolu_60', ANSI)
  await told.keep(
    'output.toolu_80',
    Uint8Array.from({ length: 2_000 }, (_, index) => (index * 37) % 256),
  )
  await told.end(91, { reason: 'no_changes' })
  return told
}

async function tellChanges(told: Told): Promise<Told> {
  await told.tell(
    ...steps.boot(1),
    steps.text(10, 'I sort the assets into folders.'),
    steps.pushed(70, 'errand/c1d5/tidy-up-the-assets'),
    steps.done(80, 'The assets are sorted; nothing that is used was removed.', { files: 7, insertions: 2230, deletions: 8 }),
  )
  await told.keep('patch', `${MIXED_PATCH}${HUGE_PATCH}`)
  await told.end(81)
  return told
}
