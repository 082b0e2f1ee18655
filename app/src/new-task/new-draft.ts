import type { CreateTask } from '../../../contract/api/api.ts'
import { useDraft } from '../client/hooks.ts'
import type { Drafts } from '../client/storage/drafts.ts'
import type { Options } from './task-options.tsx'

const PROMPT = 'new'
const REPOSITORY = 'new:repository'
const OPTIONS = { branch: 'new:branch', model: 'new:model', effort: 'new:effort', budget: 'new:budget' } as const

/** Everything typed on the form, stored with every keystroke. */
export function useNewDraft() {
  const [prompt, setPrompt] = useDraft(PROMPT)
  const [repository, setRepository] = useDraft(REPOSITORY)
  const [branch, setBranch] = useDraft(OPTIONS.branch)
  const [model, setModel] = useDraft(OPTIONS.model)
  const [effort, setEffort] = useDraft(OPTIONS.effort)
  const [budget, setBudget] = useDraft(OPTIONS.budget)
  const setOptions = (options: Options) => {
    setBranch(options.branch)
    setModel(options.model)
    setEffort(options.effort)
    setBudget(options.budget)
  }
  return { prompt, setPrompt, repository, setRepository, options: { branch, model, effort, budget }, setOptions }
}

/** Puts a task that the server refused back on the form, its prompt below what is typed there. */
export function putBack(drafts: Drafts, { prompt, repoUrl, baseBranch, model, effort, budgetUsd }: CreateTask): void {
  drafts.add(PROMPT, prompt)
  drafts.replace(REPOSITORY, repoUrl)
  drafts.replace(OPTIONS.branch, baseBranch ?? '')
  drafts.replace(OPTIONS.model, model ?? '')
  drafts.replace(OPTIONS.effort, effort ?? '')
  drafts.replace(OPTIONS.budget, budgetUsd === undefined ? '' : String(budgetUsd))
}

/** Puts a picked example on the form. */
export function putExample(drafts: Drafts, prompt: string | null, repository: string | null): void {
  if (prompt !== null) drafts.add(PROMPT, prompt)
  if (repository !== null) drafts.replace(REPOSITORY, repository)
}

/** Empties the form after sending. The repository stays: the next task is most likely for the same one. */
export function emptyDraft(drafts: Drafts): void {
  for (const place of [PROMPT, ...Object.values(OPTIONS)]) drafts.write(place, '')
}
