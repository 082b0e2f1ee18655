import { z } from 'zod'
import { EVENT_DATA, EventType, type TaskEvent } from './event.ts'

const PLACE = {
  taskId: z.string(),
  seq: z.number().int().positive(),
  /** 0 outside any attempt. */
  attempt: z.number().int().nonnegative(),
  at: z.iso.datetime(),
}

const known = EventType.options.map((type) =>
  z.looseObject({ ...PLACE, type: z.literal(type), data: EVENT_DATA[type].loose() }).meta({ id: schemaNameOf(type) }),
)

/** An event of a newer server. Clients skip its type but count its `seq`. */
const LaterEvent = z
  .looseObject({
    ...PLACE,
    type: z.string().refine((type) => !Object.hasOwn(EVENT_DATA, type), 'a known event has the data of its type'),
    data: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'LaterEvent', description: 'A type that this description does not know yet: skip it.' })

/** A {@link TaskEvent} as a client receives it. It keeps the fields that a newer server adds. */
export const ReceivedEvent = z
  .union([z.discriminatedUnion('type', known as unknown as [(typeof known)[0]]), LaterEvent])
  .meta({ id: 'Event' }) as unknown as z.ZodType<TaskEvent>

/** `task.created` → `TaskCreatedEvent` */
function schemaNameOf(type: EventType): string {
  return `${type.replace(/(?:^|[._])(\w)/g, (_match, letter: string) => letter.toUpperCase())}Event`
}
