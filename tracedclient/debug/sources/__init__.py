"""Where the flag may be kept, one file for each place.

static    decided in the code
env       an environment variable
file      a file, a Kubernetes ConfigMap
http      a URL
apollo    Apollo
etcd      a key of etcd; etcd_gateway: its JSON (etcd_messages), etcd_publisher: the operator's hand
consul    an entry of Consul's KV store
zookeeper    a node of ZooKeeper (extra); zookeeper_client: kazoo, tamed
openfeature  a flag of any OpenFeature provider (extra); openfeature_flag: one evaluation
bell      a fetch that waits until another's thread says that there is news
"""
