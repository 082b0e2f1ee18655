import { ENTRY_SCENES } from './entry-scenes.ts'
import { HOUSE_SCENES } from './house-scenes.ts'
import { RESULT_SCENES } from './result-scenes.ts'
import type { Scene, World } from './scene.ts'
import { tellAdasTasks } from './story/adas-tasks.ts'
import { tellGracesTasks } from './story/graces-tasks.ts'
import { type Stage, startStage } from './story/stage.ts'
import { TASK_SCENES } from './task-scenes.ts'
import { TASKS_SCENES } from './tasks-scenes.ts'

/** Every screen of the app in every state, as `screens.test.ts` looks at it and `npm run pictures` takes it. */
export const SCENES: readonly Scene[] = [...ENTRY_SCENES, ...TASKS_SCENES, ...TASK_SCENES, ...RESULT_SCENES, ...HOUSE_SCENES]

/** The stage, with the three people's tasks, projects, hosts and tokens on it. */
export async function startWorld(): Promise<World> {
  const stage = await startStage()
  try {
    const ada = await tellAdasTasks(stage)
    const grace = await tellGracesTasks(stage)
    await furnish(stage)
    return { ...stage, ada, grace }
  } catch (error) {
    await stage.stop()
    throw error
  }
}

async function furnish({ api }: Stage): Promise<void> {
  for (const person of ['Ada', 'Grace'] as const)
    await api(person, '/api/me/credentials', { host: 'github.com', token: 'unused' }, 'PUT')
  await api('Ada', '/api/me/credentials', { host: 'git.example.org', username: 'ada', token: 'unused' }, 'PUT')
  for (const [repoUrl, name] of [
    ['https://github.com/lighthouse/tide-tables', 'Tide tables'],
    ['https://github.com/lighthouse/beacon', 'Beacon'],
    ['https://github.com/lighthouse/harbour-export', 'Harbour export, every night'],
  ])
    await api('Ada', '/api/projects', { repoUrl, name })
  await api('Ada', '/api/me/tokens', { name: 'Nightly script' })
}
