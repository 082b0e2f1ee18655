import { spawnSync } from 'node:child_process'
import { runShown } from '../process/progress.mjs'

/** @returns the image's id, or null if this engine does not have it */
export function imageId(image: string): string | null {
  const answer = spawnSync('docker', ['image', 'inspect', '--format', '{{.Id}}', image], { encoding: 'utf8' })
  return answer.status === 0 ? answer.stdout.trim() : null
}

/**
 * Makes sure that the engine has the image that RUNNER_IMAGE names, and pulls it if needed.
 * @throws Error with the command to type if the image cannot be pulled
 */
export async function needRunnerImage(image: string): Promise<string> {
  if (await havingImage(image)) return image
  throw new Error(
    `The sandbox image ${image} (RUNNER_IMAGE) is not on this Docker engine and could not be pulled. ` +
      `Run: docker pull ${image}\nOr remove RUNNER_IMAGE: then Errand builds the image itself.`,
  )
}

/** Pulls an image if the engine does not have it. @returns whether the engine has it now */
export async function havingImage(image: string): Promise<boolean> {
  if (imageId(image)) return true
  console.log(`Pulling ${image} …`)
  const pull = await runShown('docker', ['pull', image], { detail: (line) => line })
  if (pull.status === 0) return true
  console.log(`  failed: ${pull.lines.at(-1) || 'docker pull failed'}`)
  return false
}
