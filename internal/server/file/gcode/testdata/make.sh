#!/usr/bin/env bash
# The samples of this folder: PrusaSlicer and CuraEngine slice one small model in different ways. Run it in this folder.
#   apt-get install prusa-slicer cura-engine; apt-get download cura && dpkg -x cura_*.deb cura   # for its definitions
set -euo pipefail
tile=../../../../../testdata/factor-tile.stl

prusa() { # NAME SCALE SETTING…
  name=$1 scale=$2; shift 2
  printf '%s\n' "$@" > settings.ini
  prusa-slicer --export-gcode --load prusa.ini --load settings.ini --center 110,110 --scale "$scale" \
    --loglevel 1 -o "prusa-$name.gcode" "$tile"
  rm settings.ini
}

prusa absolute 0.6 'use_relative_e_distances = 0'
prusa firmware-retraction 0.6 'use_relative_e_distances = 1' 'layer_gcode = G92 E0' 'use_firmware_retraction = 1' 'gcode_flavor = marlin'
prusa vase 0.6 'spiral_vase = 1' 'perimeters = 1' 'fill_density = 0%' 'top_solid_layers = 0'
prusa raft 0.5 'raft_layers = 3' 'support_material = 1' 'gcode_comments = 1'
prusa volumetric 0.5 'use_volumetric_e = 1' 'use_relative_e_distances = 0'
prusa two-tools 0.5 'nozzle_diameter = 0.4,0.4' 'filament_diameter = 1.75,1.75' 'filament_type = PLA;PETG' \
  'filament_density = 1.24,1.27' 'temperature = 205,235' 'first_layer_temperature = 215,240' 'bed_temperature = 55,70' \
  'first_layer_bed_temperature = 60,75' 'extruder_colour = #FF8000;#3060C0' 'perimeter_extruder = 1' \
  'infill_extruder = 2' 'solid_infill_extruder = 2' 'use_relative_e_distances = 1' 'layer_gcode = G92 E0'
prusa macros 0.5 'gcode_flavor = marlin' 'start_gcode = START_PRINT BED_TEMP=60 EXTRUDER_TEMP=215' \
  'end_gcode = END_PRINT' 'autoemit_temperature_commands = 0'
prusa sprinter 0.5 'gcode_flavor = reprap' 'machine_limits_usage = ignore' 'remaining_times = 1'

cura() { # NAME MACHINE ARGUMENT…
  name=$1 machine=$2; shift 2
  CURA_ENGINE_SEARCH_PATH=cura/usr/share/cura/resources/definitions:cura/usr/share/cura/resources/extruders \
    CuraEngine slice -j "cura/usr/share/cura/resources/definitions/$machine.def.json" "$@" \
    -s mesh_position_z=0 -o "cura-$name.gcode" -l "$tile" 2> /dev/null
}

cura marlin fdmprinter -s machine_width=220 -s machine_depth=220 -s machine_gcode_flavor=Marlin -s layer_height=0.3 \
  -s roofing_layer_count=0 -s infill_sparse_density=20 -s infill_line_distance=4 \
  -e0 -s material_print_temperature_layer_0=210 -s material_print_temperature=205 -s material_bed_temperature_layer_0=60
cura ultigcode fdmprinter -s machine_width=220 -s machine_depth=220 -s machine_gcode_flavor=UltiGCode -s layer_height=0.3 \
  -s roofing_layer_count=0 -s infill_sparse_density=0 -s infill_line_distance=0
