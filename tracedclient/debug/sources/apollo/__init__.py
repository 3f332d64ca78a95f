"""The flag in Apollo: a value of a namespace, pushed within a second of its release.

source     ``ApolloSource``: read, wait for a notification, read again
protocol   what the server's answers mean; no I/O
servers    which config service is asked: discovery, order, failover
signature  the access key
refusals   what a refusal means, in words
openapi    ``ApolloPublisher``: change the flag from a script, through the portal; not imported
           with the rest, for no service publishes
"""

from tracedclient.debug.sources.apollo.source import ApolloSource

__all__ = ["ApolloSource"]
