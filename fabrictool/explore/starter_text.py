"""The words of the starters: layouts that teach by their comments.

A line whose ``#`` stands right before a key, or before two spaces, is an option: without the ``#``
it is valid too. Braces of YAML are doubled for ``str.format``.
"""

HEAD = """\
# A starter made by 'fabrictool new {family}'. Save it, then:  fabrictool score FILE
# Quantities carry their unit. Lines such as '#pue: 1.3' are options: remove the '#'.
name: {family}-{hosts}

"""

HOSTS = """\
# Groups of equal hosts. 'fabrictool catalogue hosts' lists the types with their sources.
hosts:
  - {{name: {group}, type: {host_type}, count: {hosts}}}

"""

HOSTS_INLINE = """\
# Groups of equal hosts. The type is described in place: replace its figures by those of your
# server's data sheet, or name a type of the catalogue ('fabrictool catalogue hosts' lists them).
hosts:
  - name: {group}
    count: {hosts}
    type:
      name: host-1gpu
      gpus: 1
      nics: 1  # a number of adapters, or a list with role, count and speed of each
      speed: {speed}
      u: 2  # height in a rack
      weight: 25 kg
      power_max: 1.2 kW  # what racks are held against; a figure that is left out is not taken as 0
      #power_typical: 0.9 kW
      #air_fraction: 1.0  # share of the heat that air takes; the rest goes to liquid
      #scale_up: {{domain: 1, speed: 3.6T}}  # NVLink or xGMI: GPUs in a domain, speed per GPU and direction

"""

TRAYS = """\
# Racks that are one machine each: 'count' counts racks, and each of a rack's {trays} trays is a host.
# 'fabrictool catalogue hosts' lists the types with their sources.
hosts:
  - {{name: {group}, type: {host_type}, count: {count}}}

"""

#: What a family is, in one or two lines.
FAMILIES = {
    "fat-tree": """\
# Fat-tree: the links of a host meet on one leaf, and every leaf reaches every spine by equally many links.
""",
    "rail-optimized": """\
# Rail-optimized: port r of every host of a scalable unit meets on leaf r, so that GPUs of equal place
# are one hop apart. Every leaf reaches every spine by equally many links.
""",
    "rail-only": """\
# Rail-only: port r of every host is on rail r, and no switch joins the rails. GPUs of different places reach
# each other over the hosts' scale-up domain, which the algorithms pxn and hierarchical use.
""",
    "multi-plane": """\
# Multi-plane: each plane is a network of its own, and a host has equally many ports in each.
# What joins the planes is the hosts' scale-up domain.
""",
    "switch-pair": """\
# A pair of switches: port k of a host goes to leaf k mod 2, so that a host stays connected when a leaf is lost.
""",
    "dragonfly": """\
# Dragonfly: the routers of a group are all joined by local links, and every group to every other by global ones.
# All routers are there from the start; hosts fill the groups in order.
""",
    "dragonfly-plus": """\
# Dragonfly+: each group is a full mesh of leaves and spines, and the spines of every two groups are joined.
# All switches are there from the start; hosts fill the groups in order.
""",
    "slim-fly": """\
# Slim Fly: 2 q^2 routers, no two more than two links apart, with nearly the fewest links for that.
# All routers are there from the start; hosts fill them in order.
""",
}

RACKS = """\
# Racks: as many hosts in each as height, power and weight allow. A rack over a limit is an error finding.
racks:
  type: rack-48u
  power_limit: 40.8 kW  # four DGX H100 at their maximum; ask what your hall can feed
  cooling: air  # or rear-door, direct-to-chip, immersion
  #cooling_limit: 40 kW  # what the cooling of a rack takes away, if that is less
  #hosts_per_rack: 2  # obeyed even where the rack is then over a limit

"""

RACKS_OF_HOSTS = """\
# Racks: one for each rack of hosts, and racks for the switches. A rack over a limit is an error finding.
racks:
  - name: hosts
    type: rack-48u
    count: {count}
    power_limit: {rack_power}  # the most that the type draws; ask what your hall can feed
    cooling: direct-to-chip
  - name: network
    type: rack-48u
    power_limit: 40.8 kW
    cooling: air  # or rear-door

"""

REST = """\
hall:
  supply_temperature: 24 C  # of the air in front of the racks
  #air_rise: 12 K  # from front to rear; less rise takes more airflow
  #altitude: 500 m  # thinner air carries less heat
  #pue: 1.3  # by default that of the kind of cooling

# What score runs: by default all-reduce and all-to-all at 1 MiB, 16 MiB and 1 GiB over all GPUs.
#workload:
#  collectives:
#    - {{collective: all-reduce, sizes: [1MiB, 1GiB]}}
#    - {{collective: all-to-all, sizes: [64MiB], ranks: {{count: 2}}}}

# Prices that the catalogue lacks (examples: put your quotation here). A missing price is named, never 0.
#cost:
#  currency: USD
#  prices: {{{priced_host}: 250000, rack-48u: 3000}}
#  source: quotation of 2026-11
"""
