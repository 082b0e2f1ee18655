import type { Express } from 'express'
import type { Task } from '../../contract/api.ts'
import type { Parts } from '../parts.ts'
import type { User } from '../user.ts'
import { type Html, html, page } from './html.ts'

/** The start page: who is signed in, what is under way, and how to go on. It works without a script. */
export const addHome = (app: Express, { config, demo, tasks }: Pick<Parts, 'config' | 'demo' | 'tasks'>): void => {
  const isDemo = config.anthropicApiKey === null
  const demoRepoUrl = `${config.publicUrl}${demo.repoPath}`
  app.get('/', async (request, response) => {
    const user = request.user
    const body = user
      ? forUser(user, (await tasks.list(user.id, { limit: 10 })).items, demoRepoUrl)
      : forVisitor(config.github !== null)
    response.send(page({ title: 'Start', body: html`<h1>Errand</h1>${isDemo && DEMO_NOTICE}${body}` }))
  })
}

const DEMO_NOTICE = html`<p class="notice">
  <strong>Demo model.</strong> No model key is set, so a built-in stand-in does the work. Set ANTHROPIC_API_KEY and start again for the real one.
</p>`

const forVisitor = (github: boolean): Html => html`
  <p>Send a coding agent on an errand, and get a branch back.</p>
  <h2>Sign in</h2>
  ${github && html`<p><a class="button" href="/auth/github">Sign in with GitHub</a></p>`}
  <p>On the machine that runs this server, this prints a link that signs you in once:</p>
  <pre><code>npx errand link</code></pre>
  <p class="quiet"><a href="/docs">The API</a></p>`

const forUser = (user: User, tasks: readonly Task[], demoRepoUrl: string): Html => html`
  <p>Signed in as <strong>${user.name}</strong>${user.admin && ' (admin)'}.</p>
  <nav>
    <a href="/docs">The API</a>
    ${user.admin && html`<a href="/admin/queues">The queue</a>`}
    <form method="post" action="/auth/logout"><button type="submit" class="plain">Sign out</button></form>
  </nav>
  <h2>Tasks</h2>
  ${tasks.length > 0 ? taskList(tasks) : html`<p class="quiet">None yet.</p>`}
  <h2>Send one</h2>
  <pre><code>npx errand run --repo ${demoRepoUrl} "fix the failing test"</code></pre>`

const taskList = (tasks: readonly Task[]): Html => html`<ul class="tasks">${tasks.map(taskItem)}</ul>`

const taskItem = (task: Task): Html => html`<li>
  <p class="prompt">${firstLine(task.prompt)}</p>
  <p class="quiet">
    <span class="status ${task.status}">${task.status}</span>${task.demo && ' · demo'} · ${task.repoUrl} ·
    <time datetime="${task.createdAt}">${task.createdAt.slice(0, 16).replace('T', ' ')} UTC</time>
  </p>
  ${task.reasonText !== null && html`<p class="quiet">${task.reasonText}</p>`}
  ${task.pullRequestUrl !== null && isWeb(task.pullRequestUrl) && html`<p><a href="${task.pullRequestUrl}" rel="noreferrer">Pull request</a></p>`}
</li>`

const firstLine = (prompt: string): string => {
  const line = prompt.trim().split('\n', 1)[0] ?? ''
  return line.length > 140 ? `${line.slice(0, 139)}…` : line
}

/** Escaping does not disarm `javascript:`. */
const isWeb = (url: string): boolean => /^https?:\/\//.test(url)
