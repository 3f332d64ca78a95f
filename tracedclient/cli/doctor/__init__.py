"""``tracedclient doctor``: would traces appear, and what here may slow or break calls.

finding   one line of its report
command   which checks are made, and what is printed
logs      is logging wired so that traces appear: a configuration, or a log
flag      is the flag's source reachable, its document in order and in force
proxies   proxies of the environment, and which hosts go past them
bundle    the certificate authorities
names     how names are looked up
clock     does the clock agree with others'
versions  of all packages
limits    open files, the CPU limit of the container

Each check takes what it needs as arguments and returns findings; it changes nothing on the machine.
"""
