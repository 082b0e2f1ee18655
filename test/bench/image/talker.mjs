// Says events or deltas at a fixed rate, each with the moment it was said, so that the reader can tell how long it took.
// The prompt is JSON: {"kind": "events" | "deltas" | "idle", "perSecond": number, "seconds": number}.
import { request } from 'node:http'

const now = () => performance.timeOrigin + performance.now()
const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`)

say({ type: 'sandbox.ready', data: { node: process.version } })

const assignment = await new Promise((resolve, reject) => {
  const headers = { authorization: `Bearer ${process.env.ERRAND_TASK_TOKEN}` }
  request({ socketPath: '/run/errand/door.sock', path: '/task', headers }, async (response) => {
    let text = ''
    for await (const chunk of response) text += chunk
    resolve(JSON.parse(text))
  })
    .on('error', reject)
    .end()
})

const { kind, perSecond, seconds } = JSON.parse(assignment.prompt)
const pad = 'x'.repeat(200)
say({ type: 'turn.started', data: { turn: assignment.turn, model: assignment.model } })
const begun = now()
let said = 0
let offset = 0
if (kind === 'idle') await new Promise((done) => setTimeout(done, seconds * 1000))
else
  await new Promise((done) => {
    const timer = setInterval(() => {
      const due = Math.min(perSecond * seconds, Math.floor(((now() - begun) / 1000) * perSecond))
      for (; said < due; said++) {
        const text = `${now()} ${pad}`
        if (kind === 'deltas') say({ type: 'delta', offset, text })
        else say({ type: 'text.written', data: { text } })
        offset += text.length
      }
      if (said === perSecond * seconds) {
        clearInterval(timer)
        done()
      }
    }, 2)
  })
say({
  type: 'turn.ended',
  data: { turn: assignment.turn, outcome: 'completed', reason: 'done', summary: '', message: null, diff: null },
})
