import { spawnSync } from 'node:child_process'

/** @returns the image's id, or null when it is not on this engine */
export const imageId = (image: string): string | null => {
  const answer = spawnSync('docker', ['image', 'inspect', '--format', '{{.Id}}', image], { encoding: 'utf8' })
  return answer.status === 0 ? answer.stdout.trim() : null
}

/** Says that it pulls, and pulls; an image that is here already is not asked for again. */
export const havingImage = (image: string): boolean => {
  if (imageId(image)) return true
  console.log(`Pulling ${image} …`)
  const pull = spawnSync('docker', ['pull', '--quiet', image], { encoding: 'utf8' })
  if (pull.status === 0) return true
  console.log(`  not possible: ${(pull.stderr ?? '').trim().split('\n').at(-1) || pull.error?.message || 'docker pull failed'}`)
  return false
}
