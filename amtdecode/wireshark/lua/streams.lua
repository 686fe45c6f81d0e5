-- What streams of messages have in common: cutting them, and what is remembered of a stream.

local MORE = DESEGMENT_ONE_MORE_SEGMENT

-- Messages one behind the other. measure: bytes of the message at an offset; nil where more bytes will tell;
-- or false where no message begins. What comes later must not change what was found in a packet: it is read again
-- whenever somebody looks at it.
local function messages(tvb, pinfo, measure, display)
  local at, size = 0, tvb:len()
  while at < size do
    local whole = measure(at)
    if whole == false then return at end
    if whole == nil or at + whole > size then
      if pinfo.can_desegment > 0 then
        pinfo.desegment_offset = at
        pinfo.desegment_len = whole and at + whole - size or MORE
      end
      return size
    end
    display(tvb:range(at, whole))
    at = at + whole
  end
  return at
end

-- By stream: "server" is whoever has this port, or was spoken to first.
local streams = {}

local function memory(pinfo, port)
  local number = stream()
  if not number then return nil end
  local own = streams[number]
  if not own then
    local server = port and pinfo.src_port == port and pinfo.src_port or pinfo.dst_port
    own = {server = server, decided = {}, last = {}, asked = {[true] = {}, [false] = {}}, rfb = {}}
    streams[number] = own
  end
  return own
end

local function to_server(own, pinfo) return pinfo.dst_port == own.server end
