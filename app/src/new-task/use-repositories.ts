import type { Task } from '../../../contract/api/api.ts'
import { useClient, useMe, useSaved } from '../client/hooks.ts'
import { repoName } from '../text/show.ts'
import { words } from '../text/words.ts'

export type KnownRepository = { repoUrl: string; name: string }

/** Known repositories, most likely first: those of recent tasks, then the projects, then the demo. Each appears once. */
export function useRepositories(recent: readonly Task[]): KnownRepository[] {
  const { api } = useClient()
  const { data: me } = useMe()
  const { data: projects } = useSaved('projects', () => api.listProjects())
  const all = [
    ...recent.map(({ repoUrl }) => ({ repoUrl, name: repoName(repoUrl) })),
    ...(projects?.items ?? []),
    ...(me ? [{ repoUrl: me.demoRepoUrl, name: words.create.demoRepository }] : []),
  ]
  const names = new Map(all.toReversed().map(({ repoUrl, name }) => [repoUrl, name]))
  return [...new Set(all.map(({ repoUrl }) => repoUrl))].map((repoUrl) => ({
    repoUrl,
    name: repoUrl === me?.demoRepoUrl ? words.create.demoRepository : (names.get(repoUrl) ?? repoName(repoUrl)),
  }))
}
