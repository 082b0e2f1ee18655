import { DENIED, KERNEL } from './system-calls.ts'

const ENOSYS = 38
const EPERM = 1

/** Address families that a sandbox may open: UNIX, INET, INET6, NETLINK. AF_VSOCK would reach the hypervisor, AF_ALG kernel crypto. */
const FAMILIES = [1, 2, 10, 16]
const REFUSED_FAMILIES = Array.from({ length: Math.max(...FAMILIES) }, (_, family) => family).filter((f) => !FAMILIES.includes(f))

/** The CLONE_NEW… flags: each would give the caller a namespace of its own, and with a user namespace every capability in it. */
const NAMESPACES = [0x0002_0000, 0x0200_0000, 0x0400_0000, 0x0800_0000, 0x1000_0000, 0x2000_0000, 0x4000_0000]
const ALL_NAMESPACES = NAMESPACES.reduce((sum, flag) => sum + flag, 0)

/** Harmless execution domains: Linux, its 32-bit uname, and the value that only asks. */
const PERSONALITIES = [0x0, 0x8, 0x2_0000, 0x2_0008, 0xffff_ffff]

type Condition = { index: number; value: number; valueTwo?: number; op: string }
function is(value: number): Condition {
  return { index: 0, value, op: 'SCMP_CMP_EQ' }
}
function bits(mask: number, value: number): Condition {
  return { index: 0, value: mask, valueTwo: value, op: 'SCMP_CMP_MASKED_EQ' }
}
function allow(names: readonly string[], args: Condition[] = []) {
  return { names, action: 'SCMP_ACT_ALLOW', args }
}
function refuse(names: readonly string[], args: Condition[] = []) {
  return { names, action: 'SCMP_ACT_ERRNO', errnoRet: EPERM, args }
}

function lacks(names: readonly string[]) {
  return { names, action: 'SCMP_ACT_ERRNO', errnoRet: ENOSYS, args: [] }
}

const CONDITIONAL = ['socket', 'clone', 'clone3', 'personality']

/**
 * Allows every system call of the kernel except the denied ones. A denied call fails with EPERM. A call that is not on the list, because it
 * is newer, fails with ENOSYS, so that programs fall back. `clone3` hides its flags behind a pointer where no filter sees them: it fails with
 * ENOSYS too, and the C library takes `clone`. The architectures do not include 32-bit calls, so those kill the caller.
 */
export const seccompProfile = {
  defaultAction: 'SCMP_ACT_ERRNO',
  defaultErrnoRet: ENOSYS,
  archMap: [{ architecture: 'SCMP_ARCH_X86_64' }, { architecture: 'SCMP_ARCH_AARCH64' }],
  syscalls: [
    allow(KERNEL.filter((name) => !DENIED.includes(name) && !CONDITIONAL.includes(name))),
    refuse(DENIED),
    ...FAMILIES.map((family) => allow(['socket'], [is(family)])),
    ...REFUSED_FAMILIES.map((family) => refuse(['socket'], [is(family)])),
    refuse(['socket'], [{ index: 0, value: Math.max(...FAMILIES), op: 'SCMP_CMP_GT' }]),
    allow(['clone'], [bits(ALL_NAMESPACES, 0)]),
    ...NAMESPACES.map((flag) => refuse(['clone'], [bits(flag, flag)])),
    // By name: Docker 20.10 does not know `defaultErrnoRet`, and after an EPERM the C library gives up on threads.
    lacks(['clone3']),
    ...PERSONALITIES.map((value) => allow(['personality'], [is(value)])),
  ],
}
