*** Settings ***
Resource            ../report.resource
Suite Setup         Bring Up
Suite Teardown      Take Down

*** Keywords ***
Bring Up
    GROUP    Setting up k3s cluster (sandbox, emulated)
        No Operation
    END
    GROUP    Deploying Cedana via Helm
        GROUP    Part of it
            No Operation
        END
        Set Step Outcome    [DEPLOYED]
    END

Take Down
    GROUP    Stopping cluster
        No Operation
    END
