module tracedclient.example/peer

go 1.23
