"""What `?` shows."""

HELP = """\
Views
  p            packets: list, fields, bytes
  m            machines: how far each got, what stopped it, why, what to do
  n            notes: how good the capture is, and what cannot be judged
  f            follow: the bytes of this packet's flow
  b, Backspace back to where you were before
  ?            this page;  Esc or b leaves it
  q            end

In all lists
  ↑ ↓ (k j)  Page up/down  Home End    move;  the mouse does it too
  ← →          move long lines;  in the fields: close and open
  Tab, Shift+Tab  next pane
  Enter        open: the packet's fields, a field, a machine, the packet that proves a finding

Packets
  /            filter, as in Wireshark;  Tab completes, Enter applies, Esc leaves
  \\            no filter any more
  g            go to a packet by its number
  End          while a capture is live: stay at the newest packet

Follow
  l            the next layer: tcp, tls (where keys open it), http, soap, sol
  x            text or hex
  Bytes are as captured: secrets in them are not masked.

What you see
  The list shows headers at once. What a packet completes (a hello, a TLS message, a call) is decoded
  when you look at it, with its flow from the beginning; of a long flow that takes a while.
  Red lines are faults. Times are seconds since the first packet.
  In the bytes, those of the field under the cursor are marked. A message that lies in several packets,
  or was encrypted, is shown as a whole.
  Streams have no numbers here: those are given while a whole capture is read (`amtdecode flows`).
  A TLS session that resumes one of another connection is opened by `amtdecode read`, not here.
"""
