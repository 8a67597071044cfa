*** Settings ***
Resource            report.resource

*** Test Cases ***
Interrupted
    GROUP    Being interrupted
        Evaluate    os.kill(os.getpid(), signal.SIGTERM)    modules=os, signal
        Sleep    5 s
    END

Never Begun
    No Operation
