-- What stands inside the messages of ASF on UDP ports 623 and 664, which Wireshark shows as data. Their headers it reads
-- itself.

local asf = Proto("iamt.asf", "Intel AMT, inside ASF")
for _, field in pairs(ASF_FIELDS) do table.insert(asf.fields, field) end

local ASF_NUMBER = 4542
local maker_of, type_of, size_of = Field.new("asf.iana"), Field.new("asf.type"), Field.new("asf.len")
local inside = {protocol = asf, fields = ASF_FIELDS, derived = {}}

function asf.dissector(tvb, pinfo, tree)
  local maker, kind, size = maker_of(), type_of(), size_of()
  if not (maker and kind and size) or maker.value ~= ASF_NUMBER or size.value == 0 then return end
  local body, from = ASF_BODIES[kind.value], size.offset + 1
  if not body or from + size.value > tvb:len() then return end
  local data = tvb:range(from, size.value)
  read(inside, body, data:tvb(), tree:add(asf, data))
end

register_postdissector(asf)
