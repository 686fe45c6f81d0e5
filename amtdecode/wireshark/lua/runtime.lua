-- Readers, put together as the declarations are. A reader takes a state (tvb, at: where it stands, stop: where the bytes
-- end, values: numbers read so far, by their names) and a tree item, or nil to read without showing. It gives the value
-- and true, or nil and false where bytes are missing; what was read before that is shown.

-- Of the protocol that is read, set by `read`. partly: a field that is cut is shown as far as it goes.
local fields, derived, protocol, partly

-- Bytes that are missing at the end of all that is there may come yet: at least so many.
local function lacks(state, size)
  if state.stop == state.last then state.needed = state.at + size - state.stop end
end

local function take(state, size)
  if state.at + size > state.stop then lacks(state, size) return nil end
  local range = state.tvb:range(state.at, size)
  state.at = state.at + size
  return range
end

local function uint(size, order)
  return function(state)
    local range = take(state, size)
    if not range then return nil, false end
    return order == "little" and range:le_uint() or order ~= "little" and range:uint(), true
  end
end

local function bytes(size)
  return function(state)
    local left = state.stop - state.at
    if left >= size then return take(state, size), true end
    lacks(state, size)
    return left > 0 and take(state, left) or nil, false
  end
end

local function rest(state)
  if state.at == state.stop then return nil, true end
  return take(state, state.stop - state.at), true
end

-- Booleans and numbers are shown by their value, the rest by its bytes. GUIDs stand in SMBIOS order.
local function show(tree, name, range, value)
  local field = fields[name]
  if type(value) == "number" then
    if BOOLEANS[name] then value = value ~= 0 end
    tree:add(field, range, value)
  elseif type(value) == "string" then
    tree:add(field, range, value)
  elseif STRINGS[name] then
    tree:add(field, range, range:string(ENC_UTF_8))
  elseif name:find("%.uuid$") or name:find("%.smbios$") then
    tree:add_le(field, range)
  else
    tree:add(field, range)
  end
  if derived[name] then derived[name](tree, range) end
end

-- The bits of a number that a mask of neighbouring bits leaves.
local function masked(value, mask)
  local low = 1
  while math.floor(mask / low) % 2 == 0 do low = low * 2 end
  return math.floor(value / low) % (math.floor(mask / low) + 1)
end

-- mask: what is shown of a number; flags: fields that are bits of it, each with its mask; called: what makes the value
-- that is shown.
local function item(short, name, read, mask, flags, called)
  return function(state, tree)
    local from = state.at
    local value, whole = read(state)
    if whole then state.values[short] = value end
    if tree and value ~= nil and state.at > from and (whole or partly) then
      local range = state.tvb:range(from, state.at - from)
      local shown = value
      if called then shown = called(value, range) elseif mask then shown = masked(value, mask) end
      if shown ~= nil then show(tree, name, called and type(shown) == "userdata" and shown or range, shown) end
      for _, flag in ipairs(flags or {}) do tree:add(fields[flag[1]], range, masked(value, flag[2])) end
    end
    return value, whole
  end
end

local function nothing() return nil, true end

local function bit(mask, set, clear)
  return function(value) return math.floor(value / mask) % 2 == 1 and set or clear end
end

local function dotted(_, range)
  local parts = {}
  for at = 0, range:len() - 1 do parts[at + 1] = string.format("%d", range(at, 1):uint()) end
  return table.concat(parts, ".")
end

local function signed16(unspecified)
  return function(value)
    if value == unspecified then return nil end
    return value >= 0x8000 and value - 0x10000 or value
  end
end

local function without(hex)
  local size = #hex / 2
  return function(_, range)
    local left = range:len() - size
    if left < 0 or range:range(left, size):bytes():tohex(true) ~= hex then return range end
    return left > 0 and range:range(0, left) or nil
  end
end

local function named(names)
  return function(_, range)
    local raw = range:raw()
    return names[raw] or range:string(ENC_ISO_8859_1)
  end
end

local function struct(parts)
  return function(state, tree)
    for _, read in ipairs(parts) do
      local _, whole = read(state, tree)
      if not whole then return nil, false end
    end
    return nil, true
  end
end

local function group(words, read)
  return function(state, tree)
    local from = state.at
    if not tree then return read(state) end
    local branch = tree:add(protocol, state.tvb:range(from), words)
    local value, whole = read(state, branch)
    branch:set_len(state.at - from)
    return value, whole
  end
end

local function sized(length, read)
  return function(state, tree)
    local size, whole = length(state, tree)
    if not whole then return nil, false end
    if state.at + size > state.stop then lacks(state, size) return nil, false end
    local stop = state.stop
    state.stop = state.at + size
    local value, complete = read(state, tree)
    state.at, state.stop = state.stop, stop
    return value, complete
  end
end

local function counted(count, read)
  return function(state, tree)
    local number, whole = count(state, tree)
    if not whole then return nil, false end
    for _ = 1, number do  -- of one that is cut nothing is shown
      local from = state.at
      local _, complete = read(state, nil)
      if not complete then return nil, false end
      if tree then
        state.at = from
        read(state, tree)
      end
    end
    return nil, true
  end
end

-- A number, or the bytes of a text; of one that is empty there is no range.
local function known(state, short)
  local value = state.values[short]
  return type(value) == "userdata" and value:raw() or value
end

local function switch(short, cases, default)
  return function(state, tree)
    local value = known(state, short)
    return (value ~= nil and cases[value] or default)(state, tree)
  end
end

local function begins(short, cases)
  return function(state, tree)
    local text = (known(state, short) or ""):lower()
    for _, case in ipairs(cases) do
      if text:sub(1, #case[1]) == case[1] then return case[2](state, tree) end
    end
    return nil, true
  end
end

local function peek(read)
  return function(state, tree)
    local from = state.at
    read(state, tree)
    state.at = from
    return nil, true
  end
end

local function optional(read)
  return function(state, tree)
    if state.at == state.stop then return nil, true end
    return read(state, tree)
  end
end

-- Read a message at the start of the bytes: where it ends, and whether all of it is there.
local function read(what, reader, tvb, tree)
  protocol, fields, derived, partly = what.protocol, what.fields, what.derived, what.partly
  local state = {tvb = tvb, at = 0, stop = tvb:len(), last = tvb:len(), values = {}}
  local _, whole = reader(state, tree)
  return state.at, whole, state.values, state.needed
end
