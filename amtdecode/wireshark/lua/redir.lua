-- Redirection on TCP ports 16994 and, inside TLS, 16995: sessions, logins, SOL, IDE-R, and where KVM begins.

local REDIR_PORT, REDIR_TLS_PORT = 16994, 16995
local START, STARTED, LOGIN, ANSWER, OPEN, OPENED, IDER_FEATURES = 0x10, 0x11, 0x13, 0x14, 0x40, 0x41, 0x48

local redir = Proto("iamt.redir", "Intel AMT Redirection")
for _, field in pairs(REDIR_FIELDS) do table.insert(redir.fields, field) end
local redir_what = {protocol = redir, fields = REDIR_FIELDS, derived = {}}

-- Bytes of a message with a length inside, of the header and all.
local function with_length(tvb, at, header, place, width)
  if at + place + width > tvb:len() then return nil end
  return header + tvb:range(at + place, width):le_uint()
end

local function measure_redir(tvb, at, session)
  local kind, left = tvb:range(at, 1):uint(), tvb:len() - at
  if REDIR_FIXED[kind] then return REDIR_FIXED[kind] end
  if kind == STARTED then
    if left < 2 then return nil end
    if tvb:range(at + 1, 1):uint() ~= 0 then return 4 end
    return with_length(tvb, at, 13, 12, 1)
  elseif kind == IDER_FEATURES then
    if left < 9 then return nil end
    return tvb:range(at + 8, 1):uint() == 3 and 13 or 9
  elseif kind == OPEN or kind == OPENED then
    if session == "KVM" then return 8 end
    if session ~= "IDER" then return false end
    if kind == OPEN then return 18 end
    return with_length(tvb, at, 30, 29, 1)
  elseif REDIR_BEHIND[kind] then
    local size = with_length(tvb, at, table.unpack(REDIR_BEHIND[kind]))
    if size and (kind == LOGIN or kind == ANSWER) and size > REDIR_MAX_LOGIN then return false end
    return size
  end
  return false
end

local SESSIONS = {["SOL "] = "SOL", ["IDER"] = "IDER", ["KVMR"] = "KVM"}

-- Where a direction turns into RFB: {number of the packet, offset behind the open}.
local function turns(own, way, pinfo)
  local at = own.rfb[way]
  if not at or at[1] > pinfo.number then return nil end
  return at[1] == pinfo.number and at[2] or 0
end

local function dissect_redir(tvb, pinfo, tree, port)
  local own = memory(pinfo, port)
  if not own then return 0 end
  local way = to_server(own, pinfo)
  if turns(own, way, pinfo) == 0 then return 0 end
  local branch = tree:add(redir, tvb())
  local told, read_so_far = {}, 0
  local stop = messages(tvb, pinfo, function(at)
    local behind = turns(own, way, pinfo)
    if behind and at >= behind then return false end
    return measure_redir(tvb, at, own.session)
  end, function(range)
    local kind, part = range(0, 1):uint(), range:tvb()
    if kind == START then own.session = SESSIONS[range(4, 4):raw()] or "" end
    local reader = own.session == "IDER" and REDIR_IDER[kind] or REDIR[kind]
    local below = branch:add(redir, range, REDIR_NAMES[kind])
    read(redir_what, reader, part, below)
    table.insert(told, REDIR_NAMES[kind])
    read_so_far = read_so_far + range:len()
    if own.session == "KVM" and (kind == OPEN or kind == OPENED) and not own.rfb[way] then
      own.rfb[way] = {pinfo.number, read_so_far}
    end
  end)
  if #told == 0 and pinfo.desegment_len == 0 then branch:append_text(": no message of redirection") end
  if #told > 0 then
    pinfo.cols.protocol = "iamt.redir"
    pinfo.cols.info = table.concat(told, ", ", 1, math.min(#told, 8))
  end
  branch:set_len(math.max(stop, 1))
  return tvb:len()
end

function redir.dissector(tvb, pinfo, tree)
  if tvb:len() == 0 then return 0 end
  return dissect_redir(tvb, pinfo, tree, pinfo.src_port == REDIR_TLS_PORT and REDIR_TLS_PORT or REDIR_PORT)
end

function redir.init() streams = {} end

DissectorTable.get("tls.port"):add(REDIR_TLS_PORT, redir)
DissectorTable.get("tcp.port"):add(REDIR_PORT, redir)
