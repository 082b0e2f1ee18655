import { describe, expect, it } from '@jest/globals'
import { type Answer, type Facts, nextStep } from '../../../setup/docker/engine-plan.ts'

function answers(api = '1.41', version = '20.10.24'): Answer {
  return { state: 'answers', version, api }
}
const silent: Answer = { state: 'silent', error: 'Cannot connect' }
const denied: Answer = { state: 'no_permission', error: 'permission denied' }

/** A bare Debian: root, apt, no systemd, no Docker of any kind. */
const BARE: Facts = {
  linux: true,
  root: true,
  sudo: 'none',
  hasApt: true,
  systemd: false,
  dockerService: false,
  initScript: false,
  inContainer: false,
  client: null,
  clientPackage: null,
  cliPackage: false,
  dockerd: null,
  aptUpdates: null,
  dockerHost: null,
  context: null,
  reached: null,
  system: silent,
  socketGroup: null,
  tried: [],
}
const CLIENT = { client: '/usr/local/bin/docker', reached: silent } as const
const WORKING = { ...CLIENT, dockerd: '/usr/sbin/dockerd', reached: answers(), system: answers() } as const
const ASLEEP = { ...CLIENT, dockerd: '/usr/sbin/dockerd' } as const
const SYSTEMD = { systemd: true, dockerService: true } as const
const LOST = { name: 'far', host: 'ssh://far', byVariable: false } as const

type Row = [what: string, facts: Partial<Facts>, step: object]

describe('the next step to an engine', () => {
  it.each<Row>([
    ['an engine that answers', WORKING, { do: 'use', host: null, version: '20.10.24', instead: null }],
    ['a context that answers', { ...WORKING, context: LOST }, { do: 'use', host: 'ssh://far', instead: null }],
    ['a DOCKER_HOST that answers', { ...CLIENT, reached: answers(), dockerHost: 'tcp://a:1' }, { do: 'use', host: 'tcp://a:1' }],
    ['nothing of Docker', {}, { do: 'install', packages: ['docker.io'] }],
    ['a command without an engine', CLIENT, { do: 'install', packages: ['docker.io'] }],
    [
      "Docker's own command",
      { ...CLIENT, clientPackage: 'docker-ce-cli' },
      { do: 'install', packages: ['docker-ce', 'containerd.io'] },
    ],
    ['a command of a devcontainer', { ...CLIENT, clientPackage: 'moby-cli' }, { do: 'install', packages: ['moby-engine'] }],
    ['the same by sudo', { ...CLIENT, root: false, sudo: 'free' }, { do: 'install', packages: ['docker.io'] }],
    ['an engine without a command', { system: answers() }, { do: 'install', packages: ['docker.io'] }],
    ['the same on Debian 13', { system: answers(), cliPackage: true }, { do: 'install', packages: ['docker-cli'] }],
    ['the same after docker.io', { system: answers(), tried: ['docker.io'] }, { do: 'install', packages: ['docker-cli'] }],
    ['a DOCKER_HOST without a command', { dockerHost: 'tcp://a:1' }, { do: 'install', packages: ['docker.io'] }],
    ['an engine asleep under root', ASLEEP, { do: 'start', by: null, dockerd: '/usr/sbin/dockerd' }],
    ['one asleep under systemd', { ...ASLEEP, ...SYSTEMD }, { do: 'start', by: ['systemctl', 'start', 'docker'] }],
    [
      'the same by sudo',
      { ...ASLEEP, ...SYSTEMD, root: false, sudo: 'free' },
      { by: ['sudo', '-n', 'systemctl', 'start', 'docker'] },
    ],
    [
      "an init script's",
      { ...ASLEEP, initScript: true, root: false, sudo: 'free' },
      { by: ['sudo', '-n', 'service', 'docker', 'start'] },
    ],
    ['a context that leads nowhere', { ...CLIENT, context: LOST }, { do: 'install', packages: ['docker.io'] }],
    ['the same, an engine asleep', { ...ASLEEP, context: LOST }, { do: 'start', by: null }],
    [
      'the same, an engine here',
      { ...CLIENT, context: LOST, system: answers() },
      {
        do: 'use',
        host: 'unix:///var/run/docker.sock',
        instead: expect.stringMatching(/"far" points to ssh:\/\/far.*own engine instead.*docker context use default$/s),
      },
    ],
    [
      'a context that does not exist',
      { ...CLIENT, context: { name: 'gone', host: null, byVariable: true }, system: answers() },
      { do: 'use', instead: expect.stringMatching(/"gone" does not exist.*unset DOCKER_CONTEXT$/s) },
    ],
  ])('%s', (_what, facts, step) => {
    expect(nextStep({ ...BARE, ...facts })).toMatchObject(step)
  })

  it('says what it does before it does it', () => {
    const steps = [nextStep({ ...BARE, ...CLIENT }), nextStep({ ...BARE, ...ASLEEP }), nextStep({ ...BARE, system: answers() })]
    expect(steps.map((step) => 'message' in step && step.message.length > 20)).toEqual([true, true, true])
  })
})

describe('what a person is told', () => {
  const told = (facts: Partial<Facts>): string => {
    const step = nextStep({ ...BARE, ...facts })
    return step.do === 'tell' ? step.text : `it does ${step.do}`
  }

  it.each<[what: string, facts: Partial<Facts>, text: RegExp, never: RegExp]>([
    [
      'no engine, a sudo that asks',
      { ...CLIENT, root: false, sudo: 'asks' },
      /sudo apt-get install .*docker\.io && sudo usermod.*\n.*log in/,
      /systemctl|dockerd/,
    ],
    ['no engine, no sudo', { ...CLIENT, root: false }, /Ask the administrator .*docker\.io/, /sudo|systemctl|dockerd/],
    ['no engine, no apt', { ...CLIENT, hasApt: false }, /docs\.docker\.com/, /apt-get|sudo|systemctl|dockerd/],
    ['no engine, no apt, a container', { hasApt: false, inContainer: true }, /-v \/var\/run\/docker\.sock/, /apt-get|sudo/],
    ['apt that brought no engine', { ...CLIENT, tried: ['docker.io'] }, /apt-get install/, /sudo/],
    ['asleep, a sudo that asks', { ...ASLEEP, root: false, sudo: 'asks' }, /Start it: sudo \/usr\/sbin\/dockerd/, /systemctl/],
    [
      'asleep under systemd',
      { ...ASLEEP, ...SYSTEMD, root: false, sudo: 'asks' },
      /Start it: sudo systemctl start docker\./,
      /dockerd/,
    ],
    ['asleep, no sudo', { ...ASLEEP, root: false }, /Ask the administrator .*dockerd/, /sudo|systemctl/],
    [
      'asleep under systemd without its service',
      { ...ASLEEP, systemd: true },
      /Start it: \/usr\/sbin\/dockerd/,
      /sudo|systemctl/,
    ],
    ['started in vain', { ...ASLEEP, ...SYSTEMD, tried: ['start'] }, /still does not answer.*journalctl --unit docker/, /sudo/],
    ['started in vain by hand', { ...ASLEEP, tried: ['start'] }, /tail \/run\/errand\/dockerd\.log/, /sudo|journalctl/],
    [
      'a broken DOCKER_HOST',
      { ...CLIENT, dockerHost: 'tcp://a:1' },
      /tcp:\/\/a:1 \(DOCKER_HOST\).*Cannot connect.*unset DOCKER_HOST/s,
      /own engine/,
    ],
    [
      'the same, an engine here',
      { ...CLIENT, dockerHost: 'tcp://a:1', system: answers() },
      /own engine: unset DOCKER_HOST/,
      /apt-get/,
    ],
    ['an old engine', { ...WORKING, reached: answers('1.40', '19.03.15') }, /too old: version 19\.03\.15 .*20\.10/, /apt-get/],
    [
      'an old engine that apt updates',
      { ...WORKING, reached: answers('1.40'), aptUpdates: 'docker.io' },
      /Update it .*: apt-get update && apt-get install .*docker\.io\n/,
      /sudo|docs/,
    ],
    [
      'an old engine far away',
      { ...CLIENT, dockerHost: 'tcp://a:1', reached: answers('1.9'), aptUpdates: 'docker.io' },
      /at tcp:\/\/a:1 is too old/,
      /unset|apt-get/,
    ],
    ['an old engine instead of a context', { ...CLIENT, context: LOST, system: answers('1.39') }, /too old/, /instead/],
    [
      'too far apart',
      { ...WORKING, reached: { state: 'mismatch', error: 'client version 1.52 is too new' } },
      /1\.52 is too new.*before \/usr\/local\/bin\/docker in PATH/s,
      /sudo/,
    ],
    [
      'a command that is deaf',
      { ...WORKING, reached: silent },
      /answers at \/var\/run\/docker\.sock, but .*Cannot connect/,
      /Start it/,
    ],
    [
      'not let in',
      { ...WORKING, reached: denied, system: denied, root: false, sudo: 'asks' },
      /Run: sudo usermod -aG docker/,
      /groupadd/,
    ],
    [
      "not let in to a host's socket",
      { ...WORKING, reached: denied, system: denied, root: false, sudo: 'free', socketGroup: { gid: 998, name: null } },
      /Run: sudo groupadd --gid 998 docker && sudo usermod -aG docker/,
      /Ask/,
    ],
    ['not let in, no sudo', { ...WORKING, reached: denied, system: denied, root: false }, /add you to the group docker/, /sudo/],
    ['another system', { ...CLIENT, linux: false, hasApt: false }, /Docker Desktop/, /apt-get|sudo|systemctl|dockerd/],
  ])('%s', (_what, facts, text, never) => {
    expect(told(facts)).toMatch(text)
    expect(told(facts)).not.toMatch(never)
  })
})
