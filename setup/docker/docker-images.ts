import { spawnSync } from 'node:child_process'
import { runShown } from '../process/progress.mjs'

/** @returns the image's id, or null when it is not on this engine */
export function imageId(image: string): string | null {
  const answer = spawnSync('docker', ['image', 'inspect', '--format', '{{.Id}}', image], { encoding: 'utf8' })
  return answer.status === 0 ? answer.stdout.trim() : null
}

/**
 * The image that RUNNER_IMAGE names, pulled when it is not here.
 * @throws Error with the command to type when it cannot be had
 */
export async function needRunnerImage(image: string): Promise<string> {
  if (await havingImage(image)) return image
  throw new Error(
    `The sandbox image ${image} (RUNNER_IMAGE) is not on this Docker engine, and it cannot be pulled. ` +
      `Type: docker pull ${image}\nOr leave RUNNER_IMAGE out: then Errand builds the image itself.`,
  )
}

/** Says that it pulls, and pulls; an image that is here already is not asked for again. */
export async function havingImage(image: string): Promise<boolean> {
  if (imageId(image)) return true
  console.log(`Pulling ${image} …`)
  const pull = await runShown('docker', ['pull', image], { detail: (line) => line })
  if (pull.status === 0) return true
  console.log(`  not possible: ${pull.lines.at(-1) || 'docker pull failed'}`)
  return false
}
