-- APF, the port forwarding of CIRA: inside TLS on TCP port 4433, or bare on any port.

local APF_PORT, APF_SIZE = 4433, 93
local CHANNEL_DATA, GLOBAL_REQUEST, REQUEST_SUCCESS, REQUEST_FAILURE = 94, 80, 81, 82
local USERAUTH_FAILURE, PROTOCOLVERSION = 51, 192
local MAX_JSON, MAX_DATA = 65536, 1048576  -- bytes: of a text, of channel data; Open AMT's MPS takes no more

local apf = Proto("iamt.apf", "Intel AMT Port Forwarding")
for _, field in pairs(APF_FIELDS) do table.insert(apf.fields, field) end
local apf_what = {protocol = apf, fields = APF_FIELDS, derived = {}}
local FORWARD, CANCEL = "tcpip-forward", "cancel-tcpip-forward"

-- An answer has a port behind tcpip-forward alone: requests are remembered in order; else the byte behind decides.
local function size_of_success(tvb, at, own, way, key)
  if own.decided[key] then return own.decided[key] end
  local asked = own.asked[not way][1]
  local size
  if asked then
    size = asked == FORWARD and 5 or 1
  else
    if at + 2 > tvb:len() then return nil end
    size = tvb:range(at + 1, 1):uint() == 0 and 5 or 1
  end
  return size
end

local function measure_apf(tvb, at, own, way, key)
  local kind, left = tvb:range(at, 1):uint(), tvb:len() - at
  if kind == 0 and (own.decided[key] or own.last[way] == USERAUTH_FAILURE) then return 1 end  -- padding
  if not APF_NAMES[kind] then return false end
  if kind == REQUEST_SUCCESS then return size_of_success(tvb, at, own, way, key) end
  if kind == CHANNEL_DATA then
    if left < 9 then return nil end
    local size = tvb:range(at + 5, 4):uint()
    if size > MAX_DATA then return false end
    return 9 + size
  end
  local stop, whole, _, needed = read(apf_what, APF, tvb:range(at):tvb(), nil)
  if not whole then
    if not needed or needed > MAX_JSON then return false end
    return nil
  end
  -- the flag has 1 byte, or 2: a zero behind it belongs to it, and is passed over
  return kind == USERAUTH_FAILURE and 6 + tvb:range(at + 1, 4):uint() or stop
end

-- What was asked and answered, kept when a packet is seen first.
local function remember(range, own, way, pinfo, key)
  if pinfo.visited then return end
  local kind, size = range(0, 1):uint(), range:len()
  own.last[way] = kind
  if kind == 0 then own.decided[key] = size end
  if kind == GLOBAL_REQUEST then
    local length = range(1, 4):uint()
    local request, wanted = range(5, length):string():lower(), range(5 + length, 1):uint() ~= 0
    local forward = request:sub(1, #FORWARD) == FORWARD
    if forward or wanted or request:sub(1, #CANCEL) == CANCEL then
      table.insert(own.asked[way], forward and FORWARD or "")
    end
  elseif kind == REQUEST_SUCCESS or kind == REQUEST_FAILURE then
    own.decided[key] = size
    table.remove(own.asked[not way], 1)
  end
end

-- What a channel carries, where one message of APF holds the beginning of HTTP. Pieces are not put together.
local http = Dissector.get("http")
local function show_carried(range, pinfo, tree)
  local first = range:string():match("^(%u+)[ /]")
  if not first or #first > 8 then return end
  local may, length, offset = pinfo.can_desegment, pinfo.desegment_len, pinfo.desegment_offset
  pinfo.can_desegment = 0
  pcall(http.call, http, range:tvb(), pinfo, tree)
  pinfo.can_desegment, pinfo.desegment_len, pinfo.desegment_offset = may, length, offset
end

local function dissect_apf(tvb, pinfo, tree)
  local own = memory(pinfo, APF_PORT)
  if not own then return 0 end
  local way = to_server(own, pinfo)
  local branch = tree:add(apf, tvb())
  local told, carried, count = {}, {}, 0
  local stop = messages(tvb, pinfo, function(at)
    return measure_apf(tvb, at, own, way, pinfo.number .. ":" .. count)
  end, function(range)
    local kind = range(0, 1):uint()
    remember(range, own, way, pinfo, pinfo.number .. ":" .. count)
    count = count + 1
    if kind == 0 then return end
    read(apf_what, APF, range:tvb(), branch:add(apf, range, APF_NAMES[kind]))
    table.insert(told, APF_NAMES[kind])
    if kind == CHANNEL_DATA and range:len() > 9 then table.insert(carried, range(9)) end
  end)
  if #told > 0 then
    pinfo.cols.protocol = "iamt.apf"
    pinfo.cols.info = table.concat(told, ", ", 1, math.min(#told, 8))
  end
  branch:set_len(math.max(stop, 1))
  for _, range in ipairs(carried) do show_carried(range, pinfo, tree) end
  return tvb:len()
end

local function begins_apf(tvb, at_home)
  if tvb:len() < 13 or tvb:range(0, 1):uint() ~= PROTOCOLVERSION then return false end
  for _, at in ipairs({1, 5, 9}) do
    if tvb:range(at, 3):uint() ~= 0 then return false end
  end
  if at_home then return true end
  return tvb:len() >= APF_SIZE and tvb:range(29, 64):bytes():tohex() == ("00"):rep(64)
end

-- A record of TLS: type 20 to 23, version 3.
local function is_tls(tvb)
  return tvb:len() > 2 and tvb:range(0, 1):uint() >= 20 and tvb:range(0, 1):uint() <= 23 and tvb:range(1, 1):uint() == 3
end

local tls, inside = Dissector.get("tls"), false

function apf.dissector(tvb, pinfo, tree)
  if tvb:len() == 0 then return 0 end
  local own = memory(pinfo, APF_PORT)
  if not own then return 0 end
  if not inside and own.bare == nil then own.bare = not is_tls(tvb) end
  if inside or own.bare then return dissect_apf(tvb, pinfo, tree) end
  inside = true
  local done, size = pcall(tls.call, tls, tvb, pinfo, tree)
  inside = false
  if not done then error(size, 0) end
  return size
end

DissectorTable.get("tls.port"):add(APF_PORT, apf)
DissectorTable.get("tcp.port"):add(APF_PORT, apf)
apf:register_heuristic("tcp", function(tvb, pinfo, tree)
  local own = memory(pinfo, APF_PORT)
  if not own or not begins_apf(tvb, false) then return false end
  own.bare = true
  pinfo.conversation = apf
  dissect_apf(tvb, pinfo, tree)
  return true
end)
