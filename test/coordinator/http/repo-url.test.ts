import { describe, expect, it } from '@jest/globals'
import { Refusal } from '../../../coordinator/process/errors.ts'
import { parseRepoUrl } from '../../../coordinator/tasks/repo-url.ts'

const rules = {
  allowedOrigins: ['https://github.com', 'https://git.example.org:8443', 'http://10.0.0.5:3080'],
  demoRepoUrl: 'http://127.0.0.1:3000/demo/git/hello.git',
}

const BAD = [
  '',
  'hello',
  'owner/name',
  'git@github.com:owner/name.git',
  'ssh://git@github.com/owner/name',
  'git://github.com/owner/name',
  'http://github.com/owner/name',
  'file:///etc/passwd',
  '/etc/passwd',
  '../other',
  'ext::sh -c touch% /tmp/marker',
  '--upload-pack=touch /tmp/marker',
  '-oProxyCommand=x',
  'https://github.com/--upload-pack=x/name',
  'https://github.com/-owner/name',
  'https://github.com/owner/-name',
  'https://user@github.com/owner/name',
  'https://user:pass@github.com/owner/name',
  'https://github.com@evil.example/owner/name',
  'https://evil.example/owner/name',
  'https://github.com.evil.example/owner/name',
  'https://evilgithub.com/owner/name',
  'https://github.com:8443/owner/name',
  'https://github.com:99999/owner/name',
  'https://git.example.org/owner/name',
  'https://127.0.0.1/owner/name',
  'https://[::1]/owner/name',
  'https://2130706433/owner/name',
  'https://169.254.169.254/latest/meta-data',
  'https://localhost/owner/name',
  'http://10.0.0.5/owner/name',
  'https://github.com',
  'https://github.com/',
  'https://github.com/owner',
  'https://github.com/owner/',
  'https://github.com/owner//name',
  'https://github.com//owner/name',
  'https://github.com/owner/name//',
  'https://github.com/owner/..',
  'https://github.com/../owner',
  'https://github.com/owner/../../name',
  'https://github.com/./owner/name',
  'https://github.com/owner/.git',
  'https://github.com/owner/%2e%2e',
  'https://github.com/owner/na%00me',
  'https://github.com/owner/name?x=1',
  'https://github.com/owner/name#main',
  'https://github.com/owner/na me',
  'https://github.com/owner/na\nme',
  'https://github.com/ow\tner/name',
  'https:\\\\github.com\\owner\\name',
  'https:github.com/owner/name',
  'https:///github.com/owner/name',
  'https://github.com\\@evil.example/owner/name',
  'https://gıthub.com/owner/name',
  'https://github.com/owner/nämé',
  `https://github.com/owner/${'x'.repeat(101)}`,
  `https://github.com/${'a/'.repeat(30)}name`,
  'http://127.0.0.1:3000/demo/git/other.git',
  'javascript:alert(1)',
]

describe('the address of a repository', () => {
  it.each(BAD)('%j is refused, and the refusal says what to write instead', (input) => {
    let thrown: unknown
    try {
      parseRepoUrl(input, rules)
    } catch (error) {
      thrown = error
    }
    expect(thrown).toBeInstanceOf(Refusal)
    expect(thrown).toMatchObject({ code: 'invalid', message: expect.stringContaining('https://github.com/owner/name') })
    expect((thrown as Error).message).toContain('https://git.example.org:8443')
  })

  it.each([
    ['https://github.com/owner/name', 'https://github.com/owner/name'],
    ['https://github.com/owner/name.git', 'https://github.com/owner/name'],
    ['https://github.com/owner/name/', 'https://github.com/owner/name'],
    [' https://github.com/owner/name.git/ ', 'https://github.com/owner/name'],
    ['HTTPS://GitHub.com:443/Owner/Name', 'https://github.com/Owner/Name'],
    ['https://github.com/owner/.github', 'https://github.com/owner/.github'],
    ['https://git.example.org:8443/group/sub/name.git', 'https://git.example.org:8443/group/sub/name.git'],
    ['https://git.example.org:8443/~me/name', 'https://git.example.org:8443/~me/name'],
    ['http://10.0.0.5:3080/owner/name', 'http://10.0.0.5:3080/owner/name'],
    ['http://127.0.0.1:3000/demo/git/hello.git', rules.demoRepoUrl],
    ['http://127.0.0.1:3000/demo/git/hello', rules.demoRepoUrl],
  ])('%j becomes %j', (input, canonical) => {
    expect(parseRepoUrl(input, rules)).toBe(canonical)
  })
})
