#!/bin/sh
# The sandbox's first program: starts the agent and outlives it. A shell and not one more Node, for its memory. When the agent's process
# ends without having reported the end of the turn, the rescue saves the work and reports it.
agent_file="$(dirname "$0")/agent.mjs"
# SAVE.agentMs of contract/wire/deadlines.ts: an agent that does not answer to SIGTERM leaves the rest of the time to the rescue.
agent_seconds=9
stopped=no

# When memory runs out, the kernel kills commands first (tools/bash.ts), then the hands, then the agent, and this shell last.
{ echo 700 > /proc/self/oom_score_adj; exec node "$agent_file" agent; } &
agent=$!
stop() {
  stopped=yes
  kill -TERM "$agent" 2>/dev/null
  { sleep "$agent_seconds"; kill -KILL "$agent"; } > /dev/null 2>&1 &
}
trap stop TERM

# A signal ends `wait` early.
wait "$agent"
code=$?
while kill -0 "$agent" 2>/dev/null; do
  wait "$agent"
  code=$?
done
[ "$code" = 0 ] && exit 0
# EXIT.orphaned of contract/wire/sandbox.ts: the runner is gone, so nobody would take what a rescue saves.
[ "$code" = 71 ] && exit 71

# Until the rescue listens, a stop must not end it.
trap '' TERM
# Ends the line in the middle of which the agent may have been killed.
echo
exec node "$agent_file" rescue "$code" "$stopped"
