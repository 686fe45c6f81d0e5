-- The hello message: on TCP port 9971, and on any other port where its bytes look like one.

local HELLO_PORT = 9971
local PSK, PKI = 2, 3
local HEADER, PSK_LENGTH, HASHES = 24, 32, 25
local MAX_UNKNOWN_VERSION, PLAUSIBLE_RETRIES = 16, 65536
local SIZES = {[1] = 20, [2] = 32, [3] = 48}

local hello = Proto("iamt.hello", "Intel AMT Hello")
for _, field in pairs(HELLO_FIELDS) do table.insert(hello.fields, field) end
local CUT = ProtoExpert.new("iamt.hello.expert.cut", "The message is cut: it is shown as far as it goes",
  expert.group.MALFORMED, expert.severity.WARN)
local BEHIND = ProtoExpert.new("iamt.hello.expert.behind", "Bytes behind the end of the message",
  expert.group.MALFORMED, expert.severity.WARN)
local CHECK = ProtoExpert.new("iamt.hello.expert.pid", "The check character of the PID is wrong",
  expert.group.PROTOCOL, expert.severity.WARN)
local HASH = ProtoExpert.new("iamt.hello.expert.hash", "A hash of unknown algorithm, or of another length than its",
  expert.group.MALFORMED, expert.severity.WARN)
local UNKNOWN = ProtoExpert.new("iamt.hello.expert.version", "Unknown version: read up to the UUID",
  expert.group.PROTOCOL, expert.severity.NOTE)
hello.experts = {CUT, BEHIND, CHECK, HASH, UNKNOWN}

local stream_of, fin_of, reset_of = Field.new("tcp.stream"), Field.new("tcp.flags.fin"), Field.new("tcp.flags.reset")

local function pid_is_right(pid)
  if not pid:find("^[A-Z0-9]+$") then return false end
  local sum = 0
  for at = 1, 7 do sum = sum + pid:byte(at) end
  local check = sum % 36
  return pid:byte(8) == (check < 10 and check + 0x30 or check + 0x37)
end

local what = {protocol = hello, fields = HELLO_FIELDS, partly = true, derived = {
  ["iamt.hello.pid"] = function(tree, range)
    if range:len() < 8 then return end
    local right = pid_is_right(range:string())
    tree:add(HELLO_FIELDS["iamt.hello.pid.check"], range, right):set_generated()
    if not right then tree:add_proto_expert_info(CHECK) end
  end,
  ["iamt.hello.hash.value"] = function(tree, range)
    local name = ROOTS[range:bytes():tohex(true)] or ""
    tree:add(HELLO_FIELDS["iamt.hello.hash.name"], range, name):set_generated()
    if name ~= "" then tree:append_text(": " .. name) end
  end,
}}

-- true: it is one; nil: more bytes will tell; false: it is none
local function recognise(tvb, at_home)
  local size = tvb:len()
  local function byte(at) return tvb:range(at, 1):uint() end
  if byte(0) > 1 or (size > 1 and byte(1) ~= 0) then return false end
  if size < 4 then
    if size > 2 and byte(2) ~= PSK and byte(2) ~= PKI and not at_home then return false end
    return nil
  end
  local version = tvb:range(2, 2):le_uint()
  if version ~= PSK and version ~= PKI and not (at_home and version > 0 and version <= MAX_UNKNOWN_VERSION) then
    return false
  end
  if not at_home then
    if size >= 8 and tvb:range(4, 4):le_uint() >= PLAUSIBLE_RETRIES then return false end
    if version == PSK then
      for at = HEADER, math.min(size, PSK_LENGTH) - 1 do
        if not string.char(byte(at)):find("[A-Z0-9]") then return false end
      end
    elseif size >= HASHES + 2 and SIZES[byte(25)] ~= byte(26) then
      return false
    end
  end
  local needed = at_home and HEADER or version == PKI and HASHES + 2 or PSK_LENGTH
  if size >= needed then return true end
  return nil
end

-- How far a hello goes; a version nobody knows has no end of its own.
local function measure(tvb)
  local size, whole, values = read(what, HELLO, tvb, nil)
  return size, whole and (values.version == PSK or values.version == PKI), values
end

local function odd_hashes(tvb, stop)
  local at = HASHES
  while at + 2 <= stop do
    local algorithm, size = tvb:range(at, 1):uint(), tvb:range(at + 1, 1):uint()
    if SIZES[algorithm] ~= size then return true end
    at = at + 2 + size
  end
  return false
end

local function display(tvb, pinfo, tree, cut)
  local branch = tree:add(hello, tvb())
  local stop, whole, values = read(what, HELLO, tvb, branch)
  pinfo.cols.protocol = "iamt.hello"
  local words = ({[PSK] = "PSK", [PKI] = "PKI"})[values.version]
  local retry = values.retry_count
  pinfo.cols.info = (cut and "Beginning of a hello " or "Hello ") .. (words or "of unknown version") ..
    (retry and retry > 0 and ", retry " .. retry or "")
  if cut then
    branch:add(HELLO_FIELDS["iamt.hello.partial"], tvb(), true):set_generated()
    branch:add_proto_expert_info(CUT)
  end
  if not words then branch:add_proto_expert_info(UNKNOWN) end
  if values.version == PKI and odd_hashes(tvb, stop) then branch:add_proto_expert_info(HASH) end
  if whole and words and stop < tvb:len() then
    branch:set_len(stop)
    branch:add_proto_expert_info(BEHIND)
  end
end

-- Hellos that have begun, by stream, and those that were cut, by the packet that ended the stream.
local begun, ended = {}, {}

function hello.init() begun, ended = {}, {} end

local function stream() local field = stream_of() return field and field.value end

local function dissect(tvb, pinfo, tree, at_home)
  local verdict = recognise(tvb, at_home)
  if verdict == false then return 0 end
  local _, whole = measure(tvb)
  if verdict and whole then
    if not pinfo.visited then begun[stream()] = nil end
    display(tvb, pinfo, tree, false)
    return tvb:len()
  end
  if pinfo.can_desegment == 0 then
    if verdict then display(tvb, pinfo, tree, true) return tvb:len() end
    return 0
  end
  if not pinfo.visited then begun[stream()] = tvb:bytes() end
  pinfo.desegment_offset = 0
  pinfo.desegment_len = DESEGMENT_ONE_MORE_SEGMENT
  return tvb:len()
end

function hello.dissector(tvb, pinfo, tree)
  if pinfo.src_port == HELLO_PORT or tvb:len() == 0 then return 0 end  -- a setup server says nothing
  return dissect(tvb, pinfo, tree, true)
end

DissectorTable.get("tcp.port"):add(HELLO_PORT, hello)
hello:register_heuristic("tcp", function(tvb, pinfo, tree)
  if tvb:len() == 0 then return false end
  return dissect(tvb, pinfo, tree, false) > 0
end)

-- A hello that the end of its connection cuts is shown at the packet with FIN or RST.
local tail = Proto("iamt.hello.end", "Intel AMT Hello, end of its connection")

function tail.dissector(_, pinfo, tree)
  local number = stream()
  if not number then return end
  local fin, reset = fin_of(), reset_of()
  local over = (fin and fin.value) or (reset and reset.value)
  if not pinfo.visited and over and begun[number] then
    ended[pinfo.number], begun[number] = begun[number], nil
  end
  local raw = ended[pinfo.number]
  if raw and raw:len() >= HEADER then display(raw:tvb("Hello, as far as it came"), pinfo, tree, true) end
end

register_postdissector(tail)
