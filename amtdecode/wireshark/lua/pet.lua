-- What stands inside a platform event trap (SNMP, UDP port 162), which Wireshark shows as bytes and as a number.

local pet = Proto("iamt.pet", "Intel AMT, inside a platform event trap")
for _, field in pairs(PET_FIELDS) do table.insert(pet.fields, field) end

local enterprise_of, specific_of = Field.new("snmp.enterprise"), Field.new("snmp.specific_trap")
local octets_of = Field.new("snmp.value.octets")
local pet_what = {protocol = pet, fields = PET_FIELDS, derived = {}}

function pet.dissector(_, _, tree)
  local maker, specific, octets = enterprise_of(), specific_of(), octets_of()
  if not (maker and specific and octets) or maker.range:bytes():tohex(true) ~= PET_ENTERPRISE then return end
  if octets.len == 0 then return end
  local branch = tree:add(pet, octets.range)
  for _, bits in ipairs(PET_SPECIFIC) do
    local field, value = PET_FIELDS[bits[1]], masked(specific.value % 0x1000000, bits[2])
    if BOOLEANS[bits[1]] then value = value ~= 0 end
    branch:add(field, specific.range, value)
  end
  read(pet_what, PET, octets.range:tvb(), branch)
end

register_postdissector(pet)
