import { describe, expect, it } from '@jest/globals'
import type { Said } from '../../../contract/wire/prompt.ts'
import { createMailbox } from '../../../runner/attempt/mailbox.ts'

const PROMPT = 'mend it'
const message = (messageId: string, text = `text of ${messageId}`) => ({ messageId, text })
const steer = (text: string): Said => ({ heading: 'steer', text })
const begun: Said = { heading: 'next', text: PROMPT }

describe('a message to a running turn is delivered', () => {
  it('once, by the first request with it that the model API took', () => {
    const mailbox = createMailbox([message('a')], PROMPT)
    expect(mailbox.deliver([begun])).toEqual([])
    expect(mailbox.handOut()).toEqual([message('a')])
    expect([mailbox.deliver([begun]), mailbox.undelivered()]).toEqual([[], [message('a')]])
    expect(mailbox.deliver([begun, steer('text of a')])).toEqual(['a'])
    expect([mailbox.deliver([begun, steer('text of a')]), mailbox.handOut(), mailbox.undelivered()]).toEqual([[], [], []])
  })

  it('also when it was withdrawn after it was handed out, and never when it was withdrawn before', () => {
    const mailbox = createMailbox([message('late')], PROMPT)
    mailbox.handOut()
    mailbox.withdraw('late')
    mailbox.put([message('early')])
    mailbox.withdraw('early')
    expect([mailbox.handOut(), mailbox.undelivered()]).toEqual([[], [message('late')]])
    expect(mailbox.deliver([begun, steer('text of late'), steer('text of early')])).toEqual(['late'])
  })

  it('without being handed out when the conversation of an earlier attempt at the turn has it already', () => {
    const mailbox = createMailbox([message('a'), message('b')], PROMPT)
    expect(mailbox.deliver([begun, steer('text of a')])).toEqual(['a'])
    expect(mailbox.handOut()).toEqual([message('b')])
  })

  it('as often as its text occurs: an equal one of an earlier turn, or of this one, does not stand for it', () => {
    const mailbox = createMailbox([message('a', 'go on'), message('b', 'go on')], PROMPT)
    const earlier = [steer('go on'), steer('go on'), begun]
    expect(mailbox.deliver(earlier)).toEqual([])
    mailbox.handOut()
    expect(mailbox.deliver([...earlier, steer('go on')])).toEqual(['a'])
    expect(mailbox.deliver([...earlier, steer('go on')])).toEqual([])
    expect(mailbox.deliver([...earlier, steer('go on'), steer('go on')])).toEqual(['b'])
  })

  it('in a shortened conversation, which does not say where the turn begins, if the agent was handed it', () => {
    const mailbox = createMailbox([message('a', 'go on')], PROMPT)
    expect(mailbox.deliver([steer('go on')])).toEqual([])
    mailbox.handOut()
    expect(mailbox.deliver([steer('go on')])).toEqual([])
    expect(mailbox.deliver([steer('go on'), steer('go on')])).toEqual(['a'])
  })
})
